import type { Page } from '@playwright/test'
import { demo, expect, fillSignIn, look, ready, run, runs, said, saveCustomer, settled, signIn, test } from './support'

/** The documents that a page loads from here on. */
function loads(page: Page): string[] {
  const loads: string[] = []
  page.on('request', (request) => request.resourceType() === 'document' && loads.push(request.url()))
  return loads
}

/** The newest failed run: a customer who is not in Magento. */
async function failed(page: Page) {
  await saveCustomer()
  await signIn(page, '/dashboard/sync?event=customer.upserted')
  await settled(page)
  return runs(page).first()
}

test('a cause is cleared from the overview with two clicks @js', async ({ page }) => {
  await failed(page)
  await page.goto('/dashboard')
  await ready(page)
  const need = page.locator('.need').filter({ hasText: 'magento_not_found' })
  const seen = loads(page)
  await need.getByText(/^Retry .* documents?…$/).click()
  await look(page, 'overview-retry')
  await need.getByRole('button', { name: /^Retry/ }).click()
  await expect(page.getByRole('status').filter({ hasText: 'The documents are queued again.' })).toBeVisible()
  expect(seen).toEqual([])
})

test('a run is retried on its page, which stays where it is @js', async ({ page }) => {
  const row = await failed(page)
  await page.goto((await row.locator('.run-number').getAttribute('href')) ?? '')
  await ready(page)
  await page.setViewportSize({ width: 1280, height: 400 })
  const retry = page.locator('.advice').getByRole('button', { name: 'Retry' })
  await retry.focus()
  await page.evaluate(() => window.scrollTo(0, 150))
  const seen = loads(page)
  await page.keyboard.press('Enter')
  await expect(page.locator('.toast')).toContainText('The run is queued again.')
  expect(await page.evaluate(() => window.scrollY)).toBe(150)
  // It fails again, and the page follows.
  await expect(page.locator('#run-head .chip')).toHaveText('Failed')
  await expect(page.getByRole('group').getByText(/^Attempt/)).not.toHaveCount(0)
  expect(seen).toEqual([])
})

test('what is wrong with an exclusion is said beside its reason @js', async ({ page }) => {
  const row = await failed(page)
  await page.goto((await row.locator('.run-number').getAttribute('href')) ?? '')
  await ready(page)
  const seen = loads(page)
  await page.getByText('Exclude this document…').click()
  await page.getByRole('button', { name: 'Exclude this document' }).click()
  await expect(page.getByLabel('Reason')).toBeFocused()
  await expect(page.getByLabel('Reason')).toHaveAttribute('aria-invalid', 'true')
  await page.getByLabel('Reason').fill('Entered by hand')
  await page.getByRole('button', { name: 'Exclude this document' }).click()
  await expect(said(page, 'Excluded.')).toBeVisible()
  await page.getByRole('button', { name: 'Remove the exclusion' }).click()
  await expect(said(page, 'The exclusion is removed')).toBeVisible()
  expect(seen).toEqual([])
})

test('a run opens beside the list, and the keys go on @js', async ({ page }) => {
  await saveCustomer()
  await saveCustomer()
  const row = await failed(page)
  const seen = loads(page)
  const number = row.locator('.run-number')
  await number.click()
  const panel = page.getByRole('complementary', { name: 'Run' })
  await expect(panel.getByRole('heading', { level: 1 })).toHaveText((await number.textContent()) ?? '')
  await look(page, 'sync-panel')
  await expect(number).toBeFocused()
  await page.keyboard.press('j')
  const second = runs(page).nth(1).locator('.run-number')
  await expect(second).toBeFocused()
  await expect(panel.getByRole('heading', { level: 1 })).toHaveText((await second.textContent()) ?? '')
  await panel.getByRole('button', { name: 'Retry' }).click()
  await expect(said(panel, 'The run is queued again.')).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(panel).toBeHidden()
  await expect(second).toBeFocused()
  await page.keyboard.press('e')
  await expect(panel.getByLabel('Reason')).toBeFocused()
  // What is wrong is said in the panel.
  await page.keyboard.press('Enter')
  await expect(panel.getByLabel('Reason')).toHaveAttribute('aria-invalid', 'true')
  await expect(panel.getByLabel('Reason')).toBeFocused()
  await panel.getByRole('button', { name: 'Close' }).click()
  await expect(panel).toBeHidden()
  expect(seen).toEqual([])
})

test('a narrow window leads to the page of a run @js', async ({ page }) => {
  const row = await failed(page)
  await page.setViewportSize({ width: 390, height: 844 })
  const number = await row.locator('.run-number').textContent()
  await row.locator('.run-number').click()
  await expect(page).toHaveURL(/\/dashboard\/sync\/[0-9a-f-]{36}$/)
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(number ?? '')
})

test('a form that is sent after the session has ended keeps what was typed @js', async ({ page, context }) => {
  const row = await failed(page)
  await page.goto((await row.locator('.run-number').getAttribute('href')) ?? '')
  await ready(page)
  await page.getByText('Exclude this document…').click()
  await page.getByLabel('Reason').fill('Entered by hand')
  await context.clearCookies()
  await page.getByRole('button', { name: 'Exclude this document' }).click()
  const toast = page.locator('.toast')
  await expect(toast).toContainText('You are signed out, so nothing was done.')
  const [other] = await Promise.all([context.waitForEvent('page'), toast.getByRole('link').click()])
  await fillSignIn(other, demo().email, demo().password)
  await expect(other.getByRole('heading', { name: 'Overview' })).toBeVisible()
  await expect(page.getByLabel('Reason')).toHaveValue('Entered by hand')
  await page.getByRole('button', { name: 'Exclude this document' }).click()
  await expect(said(page, 'Excluded.')).toBeVisible()
})

test('times are those of the reader, and UTC on hover @js', async ({ browser }) => {
  const context = await browser.newContext({ baseURL: demo().ledger, timezoneId: 'Asia/Kolkata' })
  const page = await context.newPage()
  await page.goto('/dashboard/sync?event=invoice.created')
  await fillSignIn(page, demo().email, demo().password)
  await ready(page)
  const received = run(page, '000000008', 'Invoice created').locator('td time')
  const at = new Date((await received.getAttribute('datetime')) ?? '')
  const clock = at.toLocaleTimeString('en-GB', { timeZone: 'Asia/Kolkata', hourCycle: 'h23' })
  await expect(received.locator('span').last()).toHaveText(clock)
  await expect(received).toHaveAttribute('title', / UTC$/)
  await expect(run(page, '000000008', 'Invoice created').locator('.zone')).toHaveText(/^(IST|GMT\+5:30)$/)
  await context.close()
})
