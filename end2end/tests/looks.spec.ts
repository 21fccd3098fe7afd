import AxeBuilder from '@axe-core/playwright'
import { demo, expect, fillSignIn, hasScript, ready, settled, signIn, test } from './support'
import type { Page } from '@playwright/test'

const WIDTHS = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 900 } }

/** Takes the picture, and with JavaScript asks axe. */
async function look(page: Page, name: string) {
  await page.screenshot({ path: `screenshots/${test.info().project.name}/${name}.png`, fullPage: true })
  if (!hasScript()) return
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
  expect(wider, 'nothing sticks out sideways').toBeLessThanOrEqual(0)
  const { violations } = await new AxeBuilder({ page }).analyze()
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
  const report = serious.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' | ')}`)
  expect(report, 'axe finds nothing serious').toEqual([])
}

for (const colorScheme of ['light', 'dark'] as const) {
  for (const [width, viewport] of Object.entries(WIDTHS)) {
    test.describe(`${colorScheme} on a ${width}`, () => {
      test.use({ colorScheme, viewport })
      const name = (page: string) => `${page}-${width}-${colorScheme}`

      test('the sign-in', async ({ page }) => {
        await page.goto('/sign-in')
        await look(page, name('sign-in'))
        await fillSignIn(page, demo().email, 'wrong')
        await expect(page.getByRole('alert')).toBeVisible()
        await look(page, name('sign-in-refused'))
      })

      test('the runs', async ({ page }) => {
        await signIn(page)
        await settled(page)
        await look(page, name('sync'))
        await page.goto('/dashboard/sync?status=failed&event=customer.upserted')
        await ready(page)
        await look(page, name('sync-empty'))
      })
    })
  }
}
