import { CODE, anotherShop, demo, expect, look, said, signIn, test } from './support'
import type { Page } from '@playwright/test'

/** Orders a simulator what goes wrong with it. */
async function faults(simulator: string, wanted: unknown) {
  const answer = await fetch(new URL('/_sim/faults', simulator), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(wanted),
  })
  expect(answer.ok, `${simulator}: ${answer.status}`).toBe(true)
}

/** The part of a shop's page that says what will fail. */
function ahead(page: Page) {
  return page.getByRole('region', { name: /^(Before the first invoice|Health check)$/ })
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

    await expect(said(page, 'The shop is paired. Now connect Sage.')).toBeVisible()
    await look(page, 'connect-sage')
    await consent(page, 'Deny')
    await expect(page.getByRole('alert')).toContainText('consent_denied')
    await consent(page, 'Approve')

    await expect(page.getByRole('heading', { name: 'Choose a business' })).toBeVisible()
    await look(page, 'connect-sage-choice')
    const businesses = page.locator('.choice button')
    // The demo's shop has it already.
    await expect(businesses.first()).toBeDisabled()
    await faults(demo().sage, { latency_ms: [{ path: '/tax_rates', ms: 5000 }] })
    await businesses.nth(1).click()
    await expect(page.getByText('Tax rates · 3 of 10')).toBeVisible()
    // The page comes again every second, perhaps just while it is looked at.
    await expect(() => look(page, 'connecting')).toPass()
    await faults(demo().sage, { latency_ms: [] })
    await expect(said(page, 'Sage is connected and its lists are loaded.')).toBeVisible({ timeout: 15_000 })
    await expect(page.locator('.page-head .chip')).toHaveText('Not set up')
    await expect(page.getByRole('heading', { name: 'Settings to confirm' })).toBeVisible()
    await expect(ahead(page)).toContainText('The shop and Sage were checked just now.')
    await expect(ahead(page)).toContainText('The shop answers and accepts Ledger.')
    await expect(ahead(page).getByText('no_settings')).toBeVisible()
    await look(page, 'shop')
    await page.getByRole('button', { name: 'Use these settings' }).click()
    await expect(said(page, 'The settings are in use.')).toBeVisible()
    await expect(page.getByRole('heading', { name: 'Settings to confirm' })).toHaveCount(0)

    await expect(ahead(page)).toContainText('The shop and Sage have not been checked just now.')
    await ahead(page).getByRole('link', { name: 'Check the shop and Sage' }).click()
    await expect(ahead(page)).toContainText('Everything is ready.')
    await faults(shop.url, { route_missing: true })
    await ahead(page).getByRole('link', { name: 'Check again' }).click()
    await expect(ahead(page).getByText('shop_module_missing')).toBeVisible()
    await look(page, 'shop-module-missing')
    await faults(shop.url, { route_missing: false })

    await page.getByRole('button', { name: 'Pause' }).click()
    await expect(page.locator('.page-head .chip')).toHaveText('Paused')
    await page.getByRole('button', { name: 'Resume' }).click()
    await expect(page.locator('.page-head .chip')).toHaveText('Not set up')
    await page.getByRole('button', { name: 'Refresh Sage’s lists' }).click()
    await expect(said(page, 'Sage’s lists are up to date.')).toBeVisible()

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

test('a proxy that hides https from Magento is said right after pairing', async ({ page }) => {
  const shop = await anotherShop()
  try {
    await faults(shop.url, { https_required: true })
    await signIn(page)
    await page.goto('/dashboard/connect-magento')
    await pair(page, 'Behind a proxy', shop.url, CODE)
    await expect(said(page, 'The shop is paired. Now connect Sage.')).toBeVisible()
    await expect(page.getByRole('alert')).toContainText('X-Forwarded-Proto: https')
    await look(page, 'connect-sage-shop-refuses')

    await page.getByRole('link', { name: 'Behind a proxy' }).click()
    await ahead(page).getByRole('link', { name: 'Check the shop and Sage' }).click()
    await expect(ahead(page).getByText('shop_refuses')).toBeVisible()
    await faults(shop.url, { https_required: false })
    await ahead(page).getByRole('link', { name: 'Check again' }).click()
    await expect(ahead(page).getByText('shop_refuses')).toHaveCount(0)
    await expect(ahead(page).getByText('not_connected')).toBeVisible()
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
  await ahead(page).getByRole('link', { name: 'Check the shop and Sage' }).click()
  await expect(ahead(page)).toContainText('The shop and Sage were checked just now.')
  await look(page, 'shop-asked-phone-dark')
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
