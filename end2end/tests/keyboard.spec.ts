import { demo, expect, hasScript, ready, run, saveCustomer, settled, signIn, test } from './support'

test('signing in and retrying by keyboard alone', async ({ page }) => {
  const number = await saveCustomer()
  await page.goto('/dashboard/sync?event=customer.upserted')
  // The cursor stands in the first field.
  await expect(page.getByLabel('E-mail address')).toBeFocused()
  await page.keyboard.type(demo().email)
  await page.keyboard.press('Tab')
  await page.keyboard.type(demo().password)
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/\/dashboard\/sync\?event=customer\.upserted$/)
  await ready(page)
  await settled(page)
  const row = run(page, number, 'Customer saved')
  const button = row.getByRole('button', { name: /^Retry/ })
  // The list is one stop for Tab; within it j leads from row to row.
  if (hasScript()) {
    const link = row.locator('.run-number')
    for (let presses = 0; presses < 25; presses += 1) {
      await page.keyboard.press('j')
      if (await link.evaluate((element) => element === document.activeElement)) break
    }
    await expect(link).toBeFocused()
  }
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press('Tab')
    if (await button.evaluate((element) => element === document.activeElement)) break
  }
  await expect(button).toBeFocused()
  await page.keyboard.press('Enter')
  await expect(page.getByRole('status').filter({ hasText: /The run is queued again\.|failed again\./ })).toBeVisible()
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
  await page.getByRole('link', { name: /^Succeeded/ }).focus()
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/\?status=succeeded$/)
  await page.getByLabel('Event').focus()
  await page.keyboard.type('Invoice paid')
  // Past what unfolds the other filters; where the browser has taken over, a filter asks by itself.
  if (!hasScript()) {
    await page.keyboard.press('Tab')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
  }
  await expect(page).toHaveURL(/\?status=succeeded&event=invoice\.paid$/)
})

test('the first failure is retried with four keys @js', async ({ page }) => {
  await saveCustomer()
  await signIn(page)
  await settled(page)
  // n leads to the next failure, r retries it.
  await page.keyboard.press('n')
  const row = page.locator('tbody.run:focus-within')
  await expect(row).toHaveAttribute('data-status', 'failed')
  await page.keyboard.press('r')
  await expect(page.locator('.toast')).toContainText('failed again.')
  await expect(row.locator('.run-number')).toBeFocused()
})

test('the list is one stop for Tab @js', async ({ page }) => {
  await signIn(page)
  await settled(page)
  const stops = await page.locator('tbody.run :is(a, button, input):not([tabindex="-1"])').count()
  expect(stops, 'only the controls of one row').toBeLessThanOrEqual(3)
})

test('the palette leads to a page, and to runs @js', async ({ page }) => {
  await signIn(page)
  await page.keyboard.press('Control+k')
  const palette = page.getByRole('dialog', { name: 'Go to' })
  await expect(palette).toBeVisible()
  await page.keyboard.type('by cause')
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/\/sync\/causes$/)
  await ready(page)
  await page.keyboard.press('Control+k')
  await page.keyboard.type('000000001')
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/\/sync\?q=000000001$/)
})

test('the palette answers before the page itself has woken up @js', async ({ page }) => {
  await signIn(page)
  // What only this page needs is on its way for as long as the test lasts.
  await page.route('**/split_causes_list*.wasm', () => {})
  await page.goto('/dashboard/sync/causes')
  await ready(page)
  await page.keyboard.press('Control+k')
  await expect(page.getByRole('dialog', { name: 'Go to' })).toBeVisible()
})

test('a question mark lists the keys @js', async ({ page }) => {
  await signIn(page)
  await page.keyboard.press('?')
  await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toContainText('Retry the run')
  await page.keyboard.press('Escape')
  await expect(page.getByRole('dialog')).toHaveCount(0)
})

test('the colours change where one is, and stay @js', async ({ page }) => {
  await signIn(page)
  const loads: string[] = []
  page.on('request', (request) => request.resourceType() === 'document' && loads.push(request.url()))
  await page.getByRole('button', { name: 'Dark' }).click()
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark')
  expect(loads).toEqual([])
  await page.reload()
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark')
  await page.getByRole('button', { name: 'System' }).click()
})
