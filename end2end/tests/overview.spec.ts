import { demo, expect, fillSignIn, hasScript, heldMemo, look, test } from './support'
import type { Page } from '@playwright/test'

async function overview(page: Page, path = '/dashboard') {
  await page.goto(path)
  await fillSignIn(page, demo().email, demo().password)
  await expect(page.getByRole('heading', { name: 'Overview' })).toBeVisible()
}

/** A number of the chart's table, of the newest hour or day. */
function newest(page: Page, column: number) {
  return page.locator('.chart-table tbody tr').first().getByRole('cell').nth(column)
}

test('the overview says what needs a person first and leads there', async ({ page }) => {
  await heldMemo()
  // It is worked within seconds; a browser without JavaScript looks again.
  await overview(page)
  const needs = page.getByRole('region', { name: 'Needs attention' })
  await expect(async () => {
    await page.reload()
    await expect(needs.getByText('tax_undetermined')).toBeVisible({ timeout: 200 })
  }).toPass({ timeout: 60_000, intervals: [300] })
  await expect(needs.getByRole('listitem').filter({ hasText: 'tax_undetermined' })).toContainText(/£(71\.91|[1-9][\d,]*\.\d\d)/)
  await expect(page.getByRole('link', { name: 'Overview' })).toHaveAttribute('aria-current', 'page')
  await look(page, 'overview')
  const way = needs.getByRole('link', { name: /Show runs: Blue Mug shop, The total includes an amount/ })
  expect(await way.getAttribute('href')).toMatch(/^\/dashboard\/sync\?cause=tax_undetermined|^\/dashboard\/sync\?cause=[0-9a-f]{16}/)
})

test('the chart is told in words and numbers too', async ({ page }) => {
  await overview(page)
  const chart = page.getByRole('img', { name: 'Documents of the last 14 days, by the day (UTC)' })
  await expect(chart).toHaveAccessibleDescription(/received: .* posted to Sage/)
  await page.getByText('Show as a table').click()
  await expect(page.getByRole('table', { name: 'Documents of the last 14 days, by the day (UTC)' })).toBeVisible()
  await expect(newest(page, 0)).not.toHaveText('0')
  await page.getByRole('link', { name: '24 hours' }).click()
  await expect(page.getByRole('img', { name: 'Documents of the last 24 hours, by the hour (UTC)' })).toBeVisible()
  await look(page, 'overview-hours')
})

test('the overview by keyboard alone', async ({ page }) => {
  await overview(page)
  const summary = page.getByText('Show as a table')
  for (let presses = 0; presses < 40; presses += 1) {
    await page.keyboard.press('Tab')
    if (await summary.evaluate((element) => element === document.activeElement)) break
  }
  await expect(summary).toBeFocused()
  await page.keyboard.press('Enter')
  await expect(newest(page, 0)).toBeVisible()
})

const WIDTHS = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 900 } }

for (const colorScheme of ['light', 'dark'] as const) {
  for (const [width, viewport] of Object.entries(WIDTHS)) {
    test(`the overview, ${colorScheme} on a ${width}`, async ({ browser }) => {
      const options = { baseURL: demo().ledger, javaScriptEnabled: hasScript(), colorScheme, viewport }
      const context = await browser.newContext(options)
      const page = await context.newPage()
      await overview(page)
      await page.getByText('Show as a table').click()
      await look(page, `overview-${width}-${colorScheme}`)
      await context.close()
    })
  }
}
