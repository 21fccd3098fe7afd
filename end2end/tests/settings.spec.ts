import { readFileSync } from 'node:fs'
import { allow, expect, hasScript, look, signIn, test } from './support'
import type { Page } from '@playwright/test'

async function open(page: Page) {
  await page.goto('/dashboard/bindings')
  await page.getByRole('link', { name: 'Blue Mug shop' }).click()
  await page.getByRole('link', { name: 'Settings', exact: true }).click()
  await expect(page.getByRole('heading', { name: 'Settings', exact: true })).toBeVisible()
  await watched(page)
}

/** Lets the browser's console complain of what this test does on purpose. */
async function expectNoise(page: Page, what: number | string, work: () => Promise<void>) {
  allow(page, String(what))
  await work()
}

/** Waits until the browser watches the form; without JavaScript there is nothing to wait for. */
async function watched(page: Page) {
  if (hasScript()) await expect(page.locator('#settings[data-watched]')).toBeVisible()
}

const prefix = (page: Page) => page.getByLabel('Reference prefix', { exact: true })
const save = (page: Page) => page.getByRole('button', { name: 'Save', exact: true }).last().click()
const saved = (page: Page) => page.getByRole('status').filter({ hasText: /saved\.|saved in the meantime/ }).first()
const error = (page: Page, field: string) => page.locator(`[id="${field}-error"]`)
const field = (page: Page, id: string) => page.locator(`[id="${id}"]`)

/** Says why. */
async function reason(page: Page, text: string) {
  await page.getByText('Add a reason').click()
  await page.getByLabel('Reason').fill(text)
}

/** The first row of the tax rates that is empty; with JavaScript it is made. */
async function newRate(page: Page): Promise<string> {
  if (hasScript()) await page.getByRole('button', { name: 'Add a tax rate' }).click()
  const rows = page.locator('[data-map="tax_rate_map"] .map-row[data-row]:visible')
  for (const row of await rows.all()) {
    const id = (await row.getAttribute('data-row')) ?? ''
    if ((await field(page, `${id}-key`).inputValue()) === '' && (await field(page, `${id}-value`).inputValue()) === '') return id
  }
  throw new Error('no empty row')
}

/** Puts the prefix back, so that the next test begins as this one did. */
async function tidy(page: Page) {
  await prefix(page).fill('')
  await save(page)
  await expect(saved(page)).toBeVisible()
}

test('settings are checked at the save, kept as typed, saved, told and restored', async ({ page }) => {
  await signIn(page)
  await open(page)
  await look(page, 'settings')
  await prefix(page).fill('MUCH-TOO-LONG-PREFIX')
  await field(page, 'default_ledger_account_id').fill('nothing of the kind')
  const row = await newRate(page)
  await field(page, `${row}-key`).fill('200')
  await reason(page, 'A try')
  await save(page)

  await expect(page.getByRole('alert').first()).toContainText('settings_wrong')
  await expect(page).toHaveTitle(/^Error: /)
  await expect(page.getByRole('heading', { name: 'Fix these fields' })).toBeFocused()
  await expect(prefix(page)).toHaveValue('MUCH-TOO-LONG-PREFIX')
  await expect(prefix(page)).toHaveAttribute('aria-invalid', 'true')
  await expect(field(page, 'default_ledger_account_id')).toHaveValue('nothing of the kind')
  await expect(error(page, 'invoice_number_prefix')).toHaveAttribute('data-code', 'too_long')
  await expect(page.getByLabel('Reason')).toHaveValue('A try')
  await look(page, 'settings-wrong')
  await page.locator('.wrong-list').getByRole('link', { name: 'Reference prefix' }).click()
  await expect(prefix(page)).toBeFocused()

  await prefix(page).fill('WEB-')
  await field(page, 'default_ledger_account_id').fill('4010')
  await field(page, `${row}-key`).fill('17.5')
  await field(page, `${row}-value`).fill('Standard 20.00%')
  await save(page)
  await expect(saved(page)).toBeVisible()
  await expect(field(page, 'default_ledger_account_id')).toHaveValue('Sales - Services (4010)')
  await expect(page).toHaveTitle(/^Settings /)
  const keys = page.getByLabel('Percentage')
  await expect.poll(async () => Promise.all((await keys.all()).map((key) => key.inputValue()))).toContain('17.50')

  await page.getByRole('link', { name: 'Versions' }).click()
  await expect(page.getByText('A try').first()).toBeVisible()
  await expect(page.getByRole('row', { name: /Reference prefix/ }).first()).toContainText('WEB-')
  await look(page, 'versions')
  await page.getByRole('link', { name: /runs? with this version/ }).first().click()
  await expect(page.getByRole('table', { name: 'Sync runs' })).toBeVisible()
  await look(page, 'version')
  await page.getByRole('link', { name: 'All versions' }).click()
  await page.getByText(/^Restore version .*…$/).first().click()
  await page.getByRole('button', { name: /^Restore version/ }).first().click()
  await expect(page.getByRole('status').first()).toContainText('in use again')
  await watched(page)
  await expect(prefix(page)).toHaveValue('')
})

test('a field is checked when it is left, and leaving changes behind is asked about @js', async ({ page }) => {
  await signIn(page)
  await open(page)
  const wrong = error(page, 'invoice_number_prefix')
  await prefix(page).pressSequentially('MUCH-TOO-LONG')
  await expect(wrong).toHaveText('')
  await prefix(page).press('Tab')
  await expect(wrong).toHaveText('This is too long.')
  await expect(page.locator('#settings-said')).toHaveText('This is too long.')
  await expect(prefix(page)).toHaveAttribute('aria-invalid', 'true')
  await expect(page.getByRole('button', { name: '1 to correct' })).toBeVisible()
  await prefix(page).pressSequentially('X')
  await expect(wrong).toHaveText('')
  await prefix(page).fill('W-')
  await expect(prefix(page)).not.toHaveAttribute('aria-invalid')
  await expect(page.getByText('1 unsaved change', { exact: true })).toBeVisible()
  await expect(page.locator('[data-path="invoice_number_prefix"]')).toHaveAttribute('data-changed', 'true')

  // What depends on a switch appears with it.
  await expect(field(page, 'sync_stock')).toBeHidden()
  await page.getByLabel('Sync products').check()
  await expect(field(page, 'sync_stock')).toBeVisible()
  await field(page, 'default_purchase_ledger_account_id').focus()
  await field(page, 'default_purchase_ledger_account_id').press('Tab')
  await expect(error(page, 'default_purchase_ledger_account_id')).toHaveAttribute('data-code', 'required')
  await page.getByRole('button', { name: '1 to correct' }).click()
  await expect(field(page, 'default_purchase_ledger_account_id')).toBeFocused()
  await expect(page.getByText('2 unsaved changes')).toBeVisible()
  await look(page, 'settings-changed')

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
  await expect(page.getByLabel('Sync products')).not.toBeChecked()
  await expect(page.getByText('unsaved change')).toHaveCount(0)
})

test('saving stays in place, and is undone @js', async ({ page }) => {
  await signIn(page)
  await open(page)
  let loads = 0
  page.on('request', (request) => { if (request.isNavigationRequest()) loads += 1 })
  await prefix(page).fill('HERE-')
  const before = await page.evaluate(() => window.scrollY)
  await prefix(page).press('Enter')
  await expect(saved(page)).toContainText(/Version \d+ saved/)
  expect(await page.evaluate(() => window.scrollY)).toBe(before)
  await expect(prefix(page)).toBeFocused()
  await look(page, 'settings-saved')
  await page.getByRole('button', { name: 'Undo' }).click()
  await expect(prefix(page)).toHaveValue('')
  await expect(saved(page)).toContainText(/Version \d+ saved/)
  expect(loads).toBe(0)
})

test('a list is searched by keyboard and by pointer @js', async ({ page }) => {
  await signIn(page)
  await open(page)
  const picker = field(page, 'fee_ledger_account_id')
  await expect(picker).toHaveAttribute('placeholder', 'Sales - Products (4000)')
  await picker.focus()
  await picker.press('ArrowDown')
  const list = field(page, 'fee_ledger_account_id-list')
  await expect(list.getByRole('option').first()).toBeVisible()
  await expect(picker).toHaveAttribute('aria-expanded', 'true')
  await look(page, 'settings-picker')
  await picker.press('Escape')
  await expect(list).toBeHidden()
  await picker.pressSequentially('serv')
  await expect(list.getByRole('option')).toHaveText([/Sales - Services \(4010\)/])
  await picker.press('ArrowDown')
  await expect(picker).toHaveAttribute('aria-activedescendant', 'fee_ledger_account_id-option-0')
  await picker.press('Enter')
  await expect(picker).toHaveValue('Sales - Services (4010)')
  await expect(list).toBeHidden()
  // The whole list again, with the current one marked, by pointer.
  await page.locator('[data-path="fee_ledger_account_id"]').getByRole('button').click()
  await expect(list.getByRole('option', { selected: true })).toHaveText(/Sales - Services/)
  await picker.press('End')
  await picker.press('Home')
  await expect(picker).toHaveAttribute('aria-activedescendant', 'fee_ledger_account_id-option-0')
  await list.getByRole('option').first().click()
  await expect(picker).not.toHaveValue('Sales - Services (4010)')
  await expect(error(page, 'fee_ledger_account_id')).toHaveText('')
  // A number is as good as a name, and what is in no list is told when the field is left.
  await picker.fill('4010')
  await picker.press('Tab')
  await expect(error(page, 'fee_ledger_account_id')).toHaveText('')
  await picker.fill('gone')
  await picker.press('Tab')
  await expect(error(page, 'fee_ledger_account_id')).toHaveAttribute('data-code', 'not_in_reference')
  await page.getByRole('link', { name: 'Revert' }).click()
})

test('tax rates are a table whose rows come and go @js', async ({ page }) => {
  await signIn(page)
  await open(page)
  const rows = page.locator('[data-map="tax_rate_map"] .map-row[data-row]:visible')
  const count = await rows.count()
  await page.getByRole('button', { name: 'Add a tax rate' }).click()
  const row = rows.last()
  await expect(row.getByLabel('Percentage')).toBeFocused()
  await row.getByLabel('Percentage').fill('20')
  // The same key twice is told at once.
  await expect(row.locator('.field-error')).toHaveAttribute('data-code', 'conflict')
  await row.getByLabel('Tax class').fill('Reduced')
  await expect(row.locator('.field-error')).not.toHaveAttribute('data-code')
  await row.getByRole('combobox', { name: 'Country' }).fill('irel')
  await row.getByRole('option', { name: 'IE Ireland' }).click()
  await expect(row.getByRole('combobox', { name: 'Country' })).toHaveValue('IE')
  await row.getByRole('combobox', { name: 'Tax rate' }).fill('standard')
  await row.getByRole('option').first().click()
  await expect(page.getByText('1 unsaved change', { exact: true })).toBeVisible()
  await save(page)
  await expect(saved(page)).toBeVisible()
  await expect(rows).toHaveCount(count + 1)
  await page.reload()
  await watched(page)
  await page.getByRole('button', { name: 'Remove 20.00/Reduced/IE' }).click()
  await expect(rows).toHaveCount(count)
  await save(page)
  await expect(saved(page)).toBeVisible()
})

/** Rules of a row of the tax rates: percentage, rate, and the code. */
const BROKEN_RATES: [string, string, string][] = [
  ['x', 'Standard 20.00%', 'invalid_format'],
  ['200', 'Standard 20.00%', 'out_of_range'],
  ['17.5', 'gone', 'not_in_reference'],
  ['17.5', '', 'required'],
]

/** A rule of the cards that the form itself can break: what is typed where, and the code that stands at which field then. */
const BROKEN: { type: Record<string, string | true>; at: string; code: string }[] = [
  { type: { website_filter: '1, two' }, at: 'website_filter', code: 'invalid_format' },
  { type: { website_filter: '-1' }, at: 'website_filter', code: 'out_of_range' },
  { type: { store_filter: 'x' }, at: 'store_filter', code: 'invalid_format' },
  { type: { sync_products: true, default_purchase_ledger_account_id: '' }, at: 'default_purchase_ledger_account_id', code: 'required' },
  { type: { default_tax_rate_id: '' }, at: 'default_tax_rate_id', code: 'required' },
  { type: { default_tax_rate_id: 'gone' }, at: 'default_tax_rate_id', code: 'not_in_reference' },
  { type: { default_ledger_account_id: '' }, at: 'default_ledger_account_id', code: 'required' },
  { type: { default_ledger_account_id: 'gone' }, at: 'default_ledger_account_id', code: 'not_in_reference' },
  { type: { default_bank_account_id: 'gone' }, at: 'default_bank_account_id', code: 'not_in_reference' },
  { type: { sync_products: true, default_purchase_ledger_account_id: 'gone' }, at: 'default_purchase_ledger_account_id', code: 'not_in_reference' },
  ...['shipping', 'discount', 'gift_card', 'fee', 'adjustment'].map((kind) => ({
    type: { [`${kind}_ledger_account_id`]: 'gone' },
    at: `${kind}_ledger_account_id`,
    code: 'not_in_reference',
  })),
  { type: { invoice_number_prefix: 'MAGENTO-SHOP-' }, at: 'invoice_number_prefix', code: 'too_long' },
  { type: { document_time_zone: 'Europe/Nowhere' }, at: 'document_time_zone', code: 'invalid_format' },
  { type: { 'consolidation.enabled': true, 'consolidation.fallback_contact_name': ' ' }, at: 'consolidation.fallback_contact_name', code: 'required' },
  { type: { 'consolidation.enabled': true, 'consolidation.fallback_contact_email': 'web@shop' }, at: 'consolidation.fallback_contact_email', code: 'invalid_format' },
  { type: { 'consolidation.enabled': true, 'consolidation.fallback_contact_reference': 'TENLETTERS' }, at: 'consolidation.fallback_contact_reference', code: 'too_long' },
  { type: { 'consolidation.enabled': true, 'consolidation.min_total_for_individual': '-1' }, at: 'consolidation.min_total_for_individual', code: 'out_of_range' },
  { type: { 'consolidation.enabled': true, 'consolidation.min_total_for_individual': 'ten' }, at: 'consolidation.min_total_for_individual', code: 'invalid_format' },
]

test('every rule that the form can break is said at its field: when it is left, and at the save', async ({ page }) => {
  test.slow()
  await signIn(page)
  await open(page)
  const settings = page.url()
  const again = async () => {
    // What is typed is left behind on purpose.
    if (hasScript()) await page.getByRole('link', { name: 'Revert' }).click()
    else await page.goto(settings)
  }
  const said = async (at: string, code: string) => {
    if (hasScript()) await page.keyboard.press('Tab')
    else await save(page)
    await expect(error(page, at), at).toHaveAttribute('data-code', code)
    await expect(error(page, at)).not.toBeEmpty()
  }
  for (const { type, at, code } of BROKEN) {
    for (const [id, text] of Object.entries(type)) {
      if (text === true) await field(page, id).check()
      else {
        await field(page, id).fill(text)
        await field(page, id).focus()
      }
    }
    await said(at, code)
    await again()
  }
  for (const [percentage, rate, code] of BROKEN_RATES) {
    const row = await newRate(page)
    await field(page, `${row}-key`).fill(percentage)
    await field(page, `${row}-value`).fill(rate)
    if (hasScript()) await prefix(page).focus()
    await said(row, code)
    await again()
  }
})

test('two people who save at once: both are kept, and only what both changed is asked for', async ({ page, context }) => {
  await signIn(page)
  await open(page)
  const other = await context.newPage()
  await other.goto(page.url())
  await watched(other)
  await prefix(other).fill('ONE-')
  await save(other)
  await expect(saved(other)).toBeVisible()
  // Another field: nothing is asked.
  await page.getByLabel('Post zero-value invoices').uncheck()
  await save(page)
  await expect(saved(page)).toBeVisible()
  await expect(prefix(page)).toHaveValue('ONE-')
  // The same field.
  await prefix(other).fill('TWO-')
  await Promise.all([other.waitForResponse((answer) => answer.url().endsWith('/api/settings/save')), save(other)])
  await expect(saved(other)).toBeVisible()
  await prefix(page).fill('THREE-')
  allow(page, '409')
  await save(page)
  await expect(page.getByRole('alert')).toContainText('settings_changed')
  const asked = page.locator('.crossed-field')
  await expect(asked).toHaveCount(1)
  await expect(asked).toContainText('Theirs: TWO-, yours: THREE-')
  await expect(prefix(page)).toHaveValue('THREE-')
  await look(page, 'settings-crossed')
  if (hasScript()) {
    await page.getByRole('button', { name: 'Use theirs for Reference prefix' }).click()
    await expect(prefix(page)).toHaveValue('TWO-')
  }
  await prefix(page).fill('')
  await page.getByLabel('Post zero-value invoices').check()
  await save(page)
  await expect(saved(page)).toBeVisible()
  await other.close()
})

test('what is typed survives an expired session @js', async ({ page, context }) => {
  await signIn(page)
  await open(page)
  await prefix(page).fill('KEPT-')
  const cookies = await context.cookies()
  await context.clearCookies()
  await expectNoise(page, 401, async () => {
    await save(page)
    await expect(page.getByRole('alert')).toContainText('Your changes are still here')
  })
  await expect(prefix(page)).toHaveValue('KEPT-')
  await look(page, 'settings-signed-out')
  await context.addCookies(cookies)
  await page.getByRole('button', { name: 'Save again' }).click()
  await expect(saved(page)).toBeVisible()
  await expect(page.getByRole('alert')).toHaveCount(0)
  await tidy(page)
})

test('what is typed survives a server that does not answer @js', async ({ page, context }) => {
  await signIn(page)
  await open(page)
  await prefix(page).fill('AWAY-')
  await expectNoise(page, 'ERR_INTERNET_DISCONNECTED', async () => {
    await context.setOffline(true)
    await save(page)
    await expect(page.getByRole('alert')).toContainText('unreachable')
    await context.setOffline(false)
  })
  await expect(prefix(page)).toHaveValue('AWAY-')
  await save(page)
  await expect(saved(page)).toBeVisible()
  await tidy(page)
})

test('what is typed survives another theme and a reload @js', async ({ page }) => {
  await signIn(page)
  await open(page)
  await prefix(page).fill('DARK-')
  await page.getByLabel('Product type', { exact: true }).first().focus()
  await page.getByRole('button', { name: 'Dark', exact: true }).click()
  await watched(page)
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark')
  await expect(prefix(page)).toHaveValue('DARK-')
  page.once('dialog', (dialog) => void dialog.accept())
  await page.reload()
  await watched(page)
  await expect(prefix(page)).toHaveValue('DARK-')
  await expect(page.getByText('Your unsaved changes are filled in again.')).toBeVisible()
  await page.getByRole('link', { name: 'Revert' }).click()
  page.removeAllListeners('dialog')
  await page.reload()
  await watched(page)
  await expect(prefix(page)).toHaveValue('')
  await page.getByRole('button', { name: 'System', exact: true }).click()
})

test('the lists are fetched again and rows are added without losing what is typed', async ({ page }) => {
  await signIn(page)
  await open(page)
  await prefix(page).fill('KEPT-')
  await page.getByRole('button', { name: 'Refresh' }).click()
  await expect(page.getByRole('status').filter({ hasText: 'up to date' })).toBeVisible()
  await expect(prefix(page)).toHaveValue('KEPT-')
  const rows = page.getByLabel('Percentage').filter({ visible: true })
  const count = await rows.count()
  await page.getByRole('button', { name: 'Add a tax rate' }).click()
  await expect(rows).toHaveCount(count + (hasScript() ? 1 : 3))
  await expect(prefix(page)).toHaveValue('KEPT-')
  await expect(page.getByText('just now')).toBeVisible()
  await page.getByRole('link', { name: 'Revert' }).click()
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
  // The longest page, looked through four times.
  test.slow()
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
