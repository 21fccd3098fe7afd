import { readFileSync } from 'node:fs'
import { expect, hasScript, look, signIn, test } from './support'
import type { Page } from '@playwright/test'

async function open(page: Page) {
  await page.goto('/dashboard/bindings')
  await page.getByRole('link', { name: 'Blue Mug shop' }).click()
  await page.getByRole('link', { name: 'Settings', exact: true }).click()
  await expect(page.getByRole('heading', { name: 'Settings', exact: true })).toBeVisible()
  await watched(page)
}

/** Waits until the browser watches the form; without JavaScript there is nothing to wait for. */
async function watched(page: Page) {
  if (hasScript()) await expect(page.locator('#settings[data-watched]')).toBeVisible()
}

const prefix = (page: Page) => page.getByLabel('Reference prefix')
const save = (page: Page) => page.getByRole('button', { name: 'Save' }).last().click()

test('settings are checked at the save, kept as typed, saved, told and restored', async ({ page }) => {
  await signIn(page)
  await open(page)
  await look(page, 'settings')
  await prefix(page).fill('MUCH-TOO-LONG-PREFIX')
  await page.getByLabel('Sales account').fill('nothing of the kind')
  await page.getByLabel('Percentage').nth(4).fill('200')
  await page.getByLabel('Reason').fill('A try')
  await save(page)

  await expect(page.getByRole('alert')).toContainText('settings_wrong')
  await expect(page.getByLabel('Sales account')).toBeFocused()
  for (const [label, text] of [['Sales account', 'nothing of the kind'], ['Reference prefix', 'MUCH-TOO-LONG-PREFIX']]) {
    await expect(page.getByLabel(label)).toHaveValue(text)
    await expect(page.getByLabel(label)).toHaveAttribute('aria-invalid', 'true')
  }
  await expect(page.locator('[id="invoice_number_prefix-error"]')).toHaveAttribute('data-code', 'too_long')
  await expect(page.getByLabel('Reason')).toHaveValue('A try')
  await look(page, 'settings-wrong')

  await prefix(page).fill('WEB-')
  await page.getByLabel('Sales account').fill('4010')
  await page.getByLabel('Percentage').nth(4).fill('17.5')
  await page.getByLabel('Tax rate', { exact: true }).nth(4).fill('Standard 20.00%')
  await save(page)
  await expect(page.getByRole('status').first()).toContainText('The settings are saved.')
  await expect(page.getByLabel('Sales account')).toHaveValue('Sales - Services (4010)')
  await expect(page.getByLabel('Percentage').nth(1)).toHaveValue('17.50')

  await page.getByRole('link', { name: 'Versions' }).click()
  await expect(page.getByText('A try').first()).toBeVisible()
  await expect(page.getByRole('row', { name: /Reference prefix/ }).first()).toContainText('WEB-')
  await look(page, 'versions')
  await page.getByRole('link', { name: /runs? with this version/ }).first().click()
  await expect(page.getByRole('table', { name: 'Sync runs' })).toBeVisible()
  await look(page, 'version')
  await page.getByRole('link', { name: 'All versions' }).click()
  await page.getByRole('button', { name: /^Restore version/ }).first().click()
  await expect(page.getByRole('status').first()).toContainText('in use again')
  await expect(prefix(page)).toHaveValue('')
})

test('what is typed is checked while it is typed, and leaving it behind is asked about @js', async ({ page }) => {
  await signIn(page)
  await open(page)
  const error = page.locator('[id="invoice_number_prefix-error"]')
  await prefix(page).pressSequentially('MUCH-TOO-LONG')
  await expect(error).toHaveText('This is too long.')
  await expect(page.locator('#settings-said')).toHaveText('This is too long.')
  await expect(prefix(page)).toHaveAttribute('aria-invalid', 'true')
  await prefix(page).fill('W-')
  await expect(error).toHaveText('')
  await expect(prefix(page)).not.toHaveAttribute('aria-invalid')
  await page.getByLabel('Sync stock levels').check()
  await expect(page.locator('[id="sync_stock-error"]')).toHaveAttribute('data-code', 'conflict')
  await page.getByLabel('Sync products').check()
  await expect(page.locator('[id="sync_stock-error"]')).toHaveText('')
  await expect(page.locator('[id="default_purchase_ledger_account_id-error"]')).toHaveAttribute('data-code', 'required')
  await expect(page.getByText('Not saved')).toBeVisible()

  const asked: string[] = []
  page.once('dialog', (dialog) => {
    asked.push(dialog.type())
    void dialog.dismiss()
  })
  await page.getByRole('link', { name: 'Versions' }).click()
  await expect.poll(() => asked).toEqual(['beforeunload'])
  await expect(prefix(page)).toHaveValue('W-')
  await page.getByRole('link', { name: 'Revert' }).click()
  await expect(prefix(page)).toHaveValue('')
})

/** A rule of the cards that the form itself can break: what is typed where, and the code that stands at which field then. */
const BROKEN: { type: Record<string, string | true>; at: string; code: string }[] = [
  { type: { website_filter: '1, two' }, at: 'website_filter', code: 'invalid_format' },
  { type: { website_filter: '-1' }, at: 'website_filter', code: 'out_of_range' },
  { type: { store_filter: 'x' }, at: 'store_filter', code: 'invalid_format' },
  { type: { sync_stock: true }, at: 'sync_stock', code: 'conflict' },
  { type: { sync_products: true }, at: 'default_purchase_ledger_account_id', code: 'required' },
  { type: { default_tax_rate_id: '' }, at: 'default_tax_rate_id', code: 'required' },
  { type: { default_tax_rate_id: 'gone' }, at: 'default_tax_rate_id', code: 'not_in_reference' },
  { type: { default_ledger_account_id: '' }, at: 'default_ledger_account_id', code: 'required' },
  { type: { default_ledger_account_id: 'gone' }, at: 'default_ledger_account_id', code: 'not_in_reference' },
  { type: { default_bank_account_id: 'gone' }, at: 'default_bank_account_id', code: 'not_in_reference' },
  ...['default_purchase', 'shipping', 'discount', 'gift_card', 'fee', 'adjustment'].map((kind) => ({
    type: { [`${kind}_ledger_account_id`]: 'gone' },
    at: `${kind}_ledger_account_id`,
    code: 'not_in_reference',
  })),
  { type: { 'tax_rate_map.4-key': 'x', 'tax_rate_map.4-value': 'Standard 20.00%' }, at: 'tax_rate_map.4', code: 'invalid_format' },
  { type: { 'tax_rate_map.4-key': '200', 'tax_rate_map.4-value': 'Standard 20.00%' }, at: 'tax_rate_map.4', code: 'out_of_range' },
  { type: { 'tax_rate_map.4-key': '17.5', 'tax_rate_map.4-value': 'gone' }, at: 'tax_rate_map.4', code: 'not_in_reference' },
  { type: { 'tax_rate_map.4-key': '17.5' }, at: 'tax_rate_map.4', code: 'required' },
  { type: { invoice_number_prefix: 'MAGENTO-SHOP-' }, at: 'invoice_number_prefix', code: 'too_long' },
  { type: { document_time_zone: 'Europe/Nowhere' }, at: 'document_time_zone', code: 'invalid_format' },
  { type: { 'consolidation.enabled': true, 'consolidation.fallback_contact_name': ' ' }, at: 'consolidation.fallback_contact_name', code: 'required' },
  { type: { 'consolidation.enabled': true, 'consolidation.fallback_contact_email': 'web@shop' }, at: 'consolidation.fallback_contact_email', code: 'invalid_format' },
  { type: { 'consolidation.enabled': true, 'consolidation.fallback_contact_reference': 'TENLETTERS' }, at: 'consolidation.fallback_contact_reference', code: 'too_long' },
  { type: { 'consolidation.min_total_for_individual': '-1' }, at: 'consolidation.min_total_for_individual', code: 'out_of_range' },
  { type: { 'consolidation.min_total_for_individual': 'ten' }, at: 'consolidation.min_total_for_individual', code: 'invalid_format' },
]

test('every rule that the form can break is said at its field: while it is typed, and at the save', async ({ page }) => {
  test.slow()
  await signIn(page)
  await open(page)
  const settings = page.url()
  for (const { type, at, code } of BROKEN) {
    for (const [field, text] of Object.entries(type)) {
      const place = page.locator(`[id="${field}"]`)
      await (text === true ? place.check() : place.fill(text))
    }
    const said = page.locator(`[id="${at}-error"]`)
    if (hasScript()) {
      await expect(said, `${at} while typing`).toHaveAttribute('data-code', code)
    } else {
      await save(page)
      await expect(said, `${at} at the save`).toHaveAttribute('data-code', code)
    }
    await expect(said).not.toBeEmpty()
    // What is typed is left behind on purpose.
    page.once('dialog', (dialog) => void dialog.accept())
    await page.goto(settings)
    await watched(page)
    page.removeAllListeners('dialog')
  }
})

test('two people who save at once: the second sees what differs', async ({ page, context }) => {
  await signIn(page)
  await open(page)
  const other = await context.newPage()
  await other.goto(page.url())
  await watched(other)
  await prefix(other).fill('ONE-')
  await save(other)
  await expect(other.getByRole('status').first()).toContainText('The settings are saved.')
  await prefix(page).fill('TWO-')
  await save(page)
  await expect(page.getByRole('alert')).toContainText('settings_changed')
  const rows = page.getByRole('row', { name: /Reference prefix/ })
  await expect(rows.first()).toContainText('ONE-')
  await expect(rows.last()).toContainText('TWO-')
  await expect(prefix(page)).toHaveValue('TWO-')
  await look(page, 'settings-crossed')
  await save(page)
  await expect(page.getByRole('status').first()).toContainText('The settings are saved.')
  await prefix(page).fill('')
  await save(page)
  await expect(page.getByRole('status').first()).toContainText('The settings are saved.')
})

test('the lists are fetched again and rows are added without losing what is typed', async ({ page }) => {
  await signIn(page)
  await open(page)
  await prefix(page).fill('KEPT-')
  await page.getByRole('button', { name: 'Refresh' }).click()
  await expect(page.getByRole('status').first()).toContainText('up to date')
  await expect(prefix(page)).toHaveValue('KEPT-')
  const rows = await page.getByLabel('Percentage').count()
  await page.getByRole('button', { name: 'More rows' }).click()
  await expect(page.getByLabel('Percentage')).toHaveCount(rows + 3)
  await expect(prefix(page)).toHaveValue('KEPT-')
  await expect(page.getByText('just now')).toBeVisible()
})

test('settings are taken along as a file and brought in again', async ({ page }) => {
  await signIn(page)
  await open(page)
  await page.getByText('Import and export').click()
  await page.getByLabel('Your password').fill('demo-ledger')
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Export' }).click(),
  ])
  const file = JSON.parse(readFileSync(await download.path(), 'utf8'))
  expect(file.kind).toBe('ledger settings 1')
  file.settings.invoice_number_prefix = 'FILE-'
  await page.getByLabel('File', { exact: true }).setInputFiles({
    name: 'ledger-settings.json',
    mimeType: 'application/json',
    buffer: Buffer.from(JSON.stringify(file)),
  })
  await page.getByRole('button', { name: 'Fill in from file' }).click()
  await expect(page.getByRole('status').first()).toContainText('not saved yet')
  await expect(prefix(page)).toHaveValue('FILE-')
  await page.getByRole('link', { name: 'Revert' }).click()
  await expect(prefix(page)).toHaveValue('')
})

test('the settings fit a phone and a desktop, in light and in the dark', async ({ page }) => {
  await signIn(page)
  await open(page)
  for (const [size, width] of [['desktop', 1280], ['phone', 390]] as const) {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.setViewportSize({ width, height: 844 })
      await page.emulateMedia({ colorScheme })
      await look(page, `settings-${size}-${colorScheme}`)
    }
  }
})
