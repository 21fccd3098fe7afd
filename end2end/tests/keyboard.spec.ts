import { demo, expect, ready, run, settled, signIn, test } from './support'

test('signing in and retrying by keyboard alone', async ({ page }) => {
  await page.goto('/dashboard/sync?event=invoice.created')
  // The cursor stands in the first field.
  await expect(page.getByLabel('E-mail address')).toBeFocused()
  await page.keyboard.type(demo().email)
  await page.keyboard.press('Tab')
  await page.keyboard.type(demo().password)
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/\/dashboard\/sync\?event=invoice\.created$/)
  await ready(page)
  await settled(page)
  const button = run(page, '000000002', 'Invoice created').getByRole('button')
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press('Tab')
    if (await button.evaluate((element) => element === document.activeElement)) break
  }
  await expect(button).toBeFocused()
  await page.keyboard.press('Enter')
  await expect(page.getByRole('status').filter({ hasText: 'The run is queued again.' })).toBeVisible()
  await settled(page)
})

test('the first stop leads past the header', async ({ page }) => {
  await signIn(page)
  await page.keyboard.press('Tab')
  const skip = page.getByRole('link', { name: 'Skip to content' })
  await expect(skip).toBeFocused()
  await expect(skip).toBeVisible()
  await page.keyboard.press('Enter')
  await page.keyboard.press('Tab')
  // The next stop is in the page's content, behind the header's links and buttons.
  await expect(page.locator('main :focus')).toHaveCount(1)
})

test('filters by keyboard', async ({ page }) => {
  await signIn(page)
  await page.getByRole('link', { name: 'Succeeded', exact: true }).focus()
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/\?status=succeeded$/)
  await page.getByLabel('Event').focus()
  await page.keyboard.type('Invoice paid')
  // Past what unfolds the other filters.
  await page.keyboard.press('Tab')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/\?status=succeeded&event=invoice\.paid$/)
})
