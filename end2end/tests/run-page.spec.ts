import type { Page } from '@playwright/test'
import { another, demo, expect, hasScript, heldMemo, invite, join, look, pageOf, run, said, settled, signIn, test } from './support'

/** Opens the page of a run, however many came after it. */
async function open(page: Page, number: string, event: string) {
  await page.goto(`/dashboard/sync?q=${number}`)
  await page.goto(await pageOf(run(page, number, event)))
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(number)
}

test('an invoice shows its moments, its sums, its plan and its calls', async ({ page }) => {
  await signIn(page)
  await settled(page)
  await open(page, '000000008', 'Invoice created')
  const advice = page.locator('.advice')
  await expect(advice.getByRole('heading')).toHaveText('The document is in Sage.')
  await expect(advice.getByRole('link', { name: /^Open SI-\d+ in Sage$/ })).toHaveAttribute('href', new RegExp(`^${demo().sage}/`))
  const moments = page.locator('.moment-what')
  await expect(moments.first()).toContainText('Saved in Magento')
  for (const part of ['Received and queued', 'Fetched from Magento: the invoice', 'Planned', 'Answered by Sage: the invoice']) {
    await expect(moments.filter({ hasText: part })).not.toHaveCount(0)
  }
  await expect(page.locator('.moment-longest')).not.toHaveCount(0)
  const total = page.getByRole('row', { name: /^Total/ })
  await expect(total).toContainText('214.09')
  await expect(total).toContainText('none')
  await expect(page.getByRole('row', { name: /^Line 1 tax rate/ })).toContainText('Standard 20.00%')
  await look(page, 'run')

  // What was sent is there, and nobody in it.
  await page.getByText('Received: Fetch the invoice').click()
  const fetched = page.getByRole('region', { name: 'Received: Fetch the invoice' })
  await expect(fetched).toContainText('"increment_id": "000000008"')
  await expect(fetched).toContainText('"email": "•••"')
  await look(page, 'run-unfolded')
})

test('a run that waits for a person says what to do and has the button', async ({ page }) => {
  const memo = await heldMemo()
  await signIn(page)
  await settled(page)
  await open(page, memo, 'Credit memo created')
  const advice = page.locator('.advice')
  await expect(advice).toContainText('tax_undetermined')
  await look(page, 'run-waiting')
  await advice.getByRole('link', { name: /^Open the setting/ }).click()
  await expect(page).toHaveURL(/\/settings#tax_undetermined$/)
  await page.goBack()
  await advice.getByRole('button', { name: 'Retry' }).click()
  await expect(said(page, /queued again|resumes automatically/)).toBeVisible()
  // With JavaScript the page stays where it is.
  await expect(page).toHaveURL(hasScript() ? /\/dashboard\/sync\/[0-9a-f-]+$/ : /\/dashboard\/sync\/[0-9a-f-]+\?flash=/)
})

test('a run of a payment leads to its settings and back to the list', async ({ page }) => {
  await signIn(page)
  await settled(page)
  await open(page, '000000007', 'Invoice paid')
  await expect(page.locator('.advice')).toContainText('nothing_to_pay')
  await page.getByRole('link', { name: 'Version 1' }).click()
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Settings versions')
  await page.goBack()
  await page.getByRole('link', { name: 'All runs' }).click()
  await expect(page.getByRole('heading', { name: 'Sync runs' })).toBeVisible()
})

test('the page goes by keyboard alone', async ({ page }) => {
  await signIn(page)
  await settled(page)
  await open(page, '000000008', 'Invoice created')
  const sent = page.locator('.step-body summary').first()
  for (let press = 0; press < 40 && !(await sent.evaluate((it) => it === document.activeElement)); press += 1) {
    await page.keyboard.press('Tab')
  }
  await expect(sent).toBeFocused()
  await page.keyboard.press('Enter')
  await page.keyboard.press('Tab')
  await expect(page.locator('.step-body pre').first()).toBeFocused()
})

test('who only looks sees no button', async ({ page, browser }) => {
  await signIn(page)
  await settled(page)
  await open(page, '000000008', 'Invoice created')
  const address = new URL(page.url()).pathname
  const email = `looks-${Date.now()}@ledger.example`
  const link = await invite(page, email, 'Viewer')
  const guest = await another(browser)
  await join(guest, link, email, 'Guest', 'a long enough password')
  await guest.goto(address)
  await expect(guest.getByRole('heading', { level: 1 })).toHaveText('000000008')
  await expect(guest.getByRole('button', { name: 'Retry' })).toHaveCount(0)
  await guest.context().close()
})

test('a run that is not there is said to be so', async ({ page }) => {
  await signIn(page)
  for (const id of ['0190b5a4-7c3e-7000-8000-000000000001', 'nonsense']) {
    const answer = await page.request.get(`/dashboard/sync/${id}`)
    expect(answer.status()).toBe(404)
    expect(await answer.text()).toContain('This page does not exist, or you do not have access to it.')
  }
})

test('the page of a run fits a phone, in the dark too', async ({ page }) => {
  await signIn(page)
  await settled(page)
  await page.setViewportSize({ width: 390, height: 844 })
  await page.emulateMedia({ colorScheme: 'dark' })
  await open(page, '000000008', 'Invoice created')
  await look(page, 'run-phone-dark')
})
