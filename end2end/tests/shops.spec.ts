import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { demo, expect, look, signIn, test } from './support'
import type { Page } from '@playwright/test'

const CODE = '0123456789abcdef'

/** Another shop: the demo's own is paired already, and Sage's businesses are free again when its test has ended. */
async function anotherShop(): Promise<{ url: string; process: ChildProcess }> {
  const options = ['simulate', 'magento', '--documents', '../fixtures/documents', '--pairing-code', CODE]
  const shop = spawn('../target/release/ledger', options, { stdio: ['ignore', 'pipe', 'ignore'] })
  let said = ''
  while (!said.includes('Pairing code')) said += String((await once(shop.stdout, 'data'))[0])
  return { url: /at (http:\S+);/.exec(said)?.[1] ?? '', process: shop }
}

async function pair(page: Page, name: string, url: string, code: string) {
  await page.getByLabel('Name').fill(name)
  await page.getByLabel('Shop address').fill(url)
  await page.getByLabel('Pairing code').fill(code)
  await page.getByRole('button', { name: 'Pair the shop' }).click()
}

async function consent(page: Page, answer: 'Approve' | 'Deny') {
  await page.getByLabel('Country of the business').selectOption('United Kingdom')
  await page.getByRole('button', { name: 'Continue to Sage' }).click()
  await page.getByRole('button', { name: answer }).click()
}

test('a shop is paired, connected to Sage, paused, resumed and disconnected', async ({ page }) => {
  test.slow()
  const shop = await anotherShop()
  try {
    await signIn(page)
    await page.getByRole('link', { name: 'Shops' }).click()
    await expect(page.getByRole('heading', { name: 'Blue Mug shop' })).toBeVisible()
    await look(page, 'shops')
    await page.getByRole('link', { name: 'Connect a shop' }).click()

    await pair(page, 'Tea & Co', shop.url, 'wrong-wrong-wrong')
    await expect(page.getByRole('alert')).toContainText('pairing_refused')
    await expect(page.getByLabel('Name')).toHaveValue('Tea & Co')
    await expect(page.getByLabel('Shop address')).toHaveValue(shop.url)
    await expect(page.getByLabel('Pairing code')).toHaveValue('')
    expect(page.url()).not.toContain('wrong-wrong')
    await look(page, 'connect-magento-refused')
    await page.getByLabel('Pairing code').fill(CODE)
    await page.getByRole('button', { name: 'Pair the shop' }).click()

    await expect(page.getByRole('status')).toHaveText('The shop is paired. Now connect Sage.')
    await look(page, 'connect-sage')
    await consent(page, 'Deny')
    await expect(page.getByRole('alert')).toContainText('consent_denied')
    await consent(page, 'Approve')

    await expect(page.getByRole('heading', { name: 'Which business?' })).toBeVisible()
    await look(page, 'connect-sage-choice')
    const businesses = page.locator('.choice button')
    await businesses.first().click()
    await expect(page.getByRole('alert')).toContainText('business_taken')
    await businesses.nth(1).click()
    await expect(page.getByRole('status')).toHaveText('Sage is connected, and its lists are fetched.')
    await expect(page.locator('.page-head .chip')).toHaveText('Working')
    await expect(page.getByRole('heading', { name: 'Settings to confirm' })).toBeVisible()
    await look(page, 'shop')
    await page.getByRole('button', { name: 'Use these settings' }).click()
    await expect(page.getByRole('status')).toContainText('The settings are in force.')
    await expect(page.getByRole('heading', { name: 'Settings to confirm' })).toHaveCount(0)

    await page.getByRole('button', { name: 'Pause' }).click()
    await expect(page.locator('.page-head .chip')).toHaveText('Paused')
    await page.getByRole('button', { name: 'Resume' }).click()
    await expect(page.locator('.page-head .chip')).toHaveText('Working')
    await page.getByRole('button', { name: 'Fetch Sage’s lists anew' }).click()
    await expect(page.getByRole('status')).toHaveText('Sage’s lists are fetched anew.')

    await page.getByText('Disconnect', { exact: true }).click()
    await page.getByLabel('Your password').fill('not this one')
    await page.getByRole('button', { name: 'Disconnect this shop' }).click()
    await expect(page.getByRole('alert')).toContainText('wrong_password')
    await page.getByLabel('Your password').fill(demo().password)
    await page.getByRole('button', { name: 'Disconnect this shop' }).click()
    await expect(page.locator('.page-head .chip')).toHaveText('Disconnected')
    await look(page, 'shop-disconnected')
  } finally {
    shop.process.kill()
  }
})

test('what cannot be an address or a code is named at its field', async ({ page }) => {
  await signIn(page)
  await page.goto('/dashboard/connect-magento')
  await page.getByRole('button', { name: 'Pair the shop' }).click()
  for (const label of ['Name', 'Shop address', 'Pairing code']) {
    await expect(page.getByLabel(label)).toHaveAttribute('aria-invalid', 'true')
  }
  await pair(page, 'Tea', 'http://shop.example', CODE)
  await expect(page.getByRole('alert')).toContainText('shop_not_https')
  await pair(page, 'Tea', 'https://user:secret@shop.example', CODE)
  await expect(page.getByLabel('Shop address')).toHaveAttribute('aria-invalid', 'true')
  await pair(page, 'Tea', 'http://127.0.0.1:9', CODE)
  await expect(page.getByRole('alert')).toContainText('shop_unreachable')
})

test('the pages of shops fit a phone, in the dark too', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 })
  await page.emulateMedia({ colorScheme: 'dark' })
  await signIn(page)
  await page.goto('/dashboard/bindings')
  await look(page, 'shops-phone-dark')
  await page.getByRole('link', { name: 'Blue Mug shop' }).click()
  await look(page, 'shop-phone-dark')
  await page.goto('/dashboard/connect-magento')
  await look(page, 'connect-magento-phone-dark')
})

test('an answer from Sage that nobody asked for connects nothing', async ({ page }) => {
  await signIn(page)
  await page.goto('/dashboard/bindings')
  const shop = await page.getByRole('link', { name: 'Blue Mug shop' }).getAttribute('href')
  await page.goto(`/oauth/sage/callback?code=GB%2F123&state=${shop?.split('/').pop()}.00ff`)
  await expect(page.getByRole('alert').first()).toContainText('consent_used_up')
})
