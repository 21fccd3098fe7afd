// The settings of a merchant, in Firefox.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertStayed, follow, mark, open, page, text, until } from './support.mjs'

async function settings() {
  await open('/dashboard/bindings')
  await follow('main a::-p-text(Blue Mug shop)')
  await follow('main a[href$="/settings"]')
  await page.waitForSelector('#settings[data-watched]')
}

const value = (id) => page.$eval(`[id="${id}"]`, (field) => field.value)

/** Types into a field, in place of what is there. */
async function type(id, typed) {
  const field = await page.waitForSelector(`[id="${id}"]`)
  await field.click({ count: 3 })
  await page.keyboard.press('Backspace')
  await page.keyboard.type(typed)
}

test('an account is found by its number and by its name, and chosen by keyboard', async () => {
  await settings()
  const list = '[role=listbox]:not([hidden]) [role=option]'
  for (const typed of ['4010', 'services']) {
    // What the search before has found is out of the way.
    await page.keyboard.press('Escape')
    await type('default_ledger_account_id', typed)
    // The whole list is shown first, then what was found.
    const found = (list, typed) => {
      const options = [...document.querySelectorAll(list)].map((option) => option.textContent.toLowerCase())
      return options.some((option) => option.includes('sales - services')) && options.every((option) => option.includes(typed))
    }
    await until(found, list, typed)
    const shown = await page.$$eval(list, (options) => options.map((option) => option.textContent))
    assert.ok(shown.every((name) => !/[0-9a-f]{32}/.test(name)), `names, not ids: ${shown}`)
  }
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await until(() => document.getElementById('default_ledger_account_id').value === 'Sales - Services (4010)')
})

test('a field is checked when it is left, and what is saved stays on the page', async () => {
  await settings()
  await mark()
  await type('invoice_number_prefix', 'MUCH-TOO-LONG')
  await page.keyboard.press('Tab')
  await until(() => document.getElementById('invoice_number_prefix-error').textContent === 'This is too long.')
  await type('invoice_number_prefix', 'FF-')
  await page.locator('.save-bar button::-p-text(Save)').click()
  await until(() => [...document.querySelectorAll('[role=status]')].some((said) => /saved\./.test(said.textContent)))
  assert.equal(await value('invoice_number_prefix'), 'FF-')
  await assertStayed()
  await type('invoice_number_prefix', '')
  await page.locator('.save-bar button::-p-text(Save)').click()
  await until(() => !document.querySelector('[data-changed=true]'))
  assert.ok(await text('h1'))
})
