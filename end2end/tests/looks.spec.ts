import { demo, expect, fillSignIn, look, ready, settled, signIn, test } from './support'

const WIDTHS = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 900 } }

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
