// The desk of an operator, in Firefox.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertStayed, control, demo, follow, live, mark, open, openLive, page, text, until } from './support.mjs'

/** A customer that Magento does not know: its run fails. */
async function failingCustomer() {
  const id = Math.floor(Date.now() / 100) % 4_000_000_000
  await control(demo.magento, '/_sim/enqueue', { event: 'customer.upserted', id })
  await control(demo.magento, '/_sim/cron', {})
  return `#${id}`
}

async function failedRow() {
  const number = await failingCustomer()
  await openLive('/dashboard/sync?event=customer.upserted')
  await until((number) => [...document.querySelectorAll('tbody.run[data-status=failed]')].some((row) => row.textContent.includes(number)), number)
  return number
}

test('a filter, the search and Back stay on the page', async () => {
  await openLive('/dashboard/sync')
  await mark()
  await page.locator('a.pill[data-status=succeeded]').click()
  await until(() => location.search === '?status=succeeded')
  await until(() => [...document.querySelectorAll('tbody.run')].every((row) => row.dataset.status === 'succeeded'))
  await page.locator('#q').fill('000000001')
  await until(() => location.search.includes('q=000000001'))
  await page.evaluate(() => history.back())
  await until(() => document.querySelector('a.pill[aria-current]').textContent.trim().startsWith('All'))
  await assertStayed()
})

test('a failed run is retried in place, and its outcome is said', async () => {
  const number = await failedRow()
  await mark()
  await page.keyboard.press('n')
  assert.equal(await page.evaluate(() => document.activeElement.closest('tbody.run')?.dataset.status), 'failed')
  await page.keyboard.press('r')
  await until(() => document.querySelector('.toast')?.textContent.includes('failed again.'))
  assert.match(await text('.toast'), /^#\d+ failed again\./)
  assert.ok(number)
  assert.ok(await page.evaluate(() => document.activeElement.classList.contains('run-number')), 'the focus stays in the row')
  await assertStayed()
})

test('a cause is retried with two clicks', async () => {
  await failedRow()
  await openLive('/dashboard/sync/causes')
  await page.locator('.cause a.button ::-p-text(Retry)').click()
  await page.locator('.cause .cause-acts:not([hidden]) button.button-main').click()
  await until(() => /Complete: \d+ queued.*failed again/s.test(document.querySelector('.jobs').textContent))
})

test('a run opens beside the list, and its page says what happened', async () => {
  const number = await failedRow()
  await mark()
  await page.locator('tbody.run[data-status=failed] .run-number').click()
  await page.waitForSelector('#run-panel:not([hidden]) #advice-title')
  assert.equal(await text('#run-panel h1'), number)
  await page.locator('#run-panel form[action$="/retry"] button').click()
  await until(() => document.querySelector('#run-panel .flash')?.textContent.includes('queued again'))
  await assertStayed()
  await follow('#run-panel .panel-page')
  await live()
  assert.match(await text('#advice-title'), /\.$/)
})

test('the overview, the shops and the people open without a word in the console', async () => {
  for (const path of ['/dashboard', '/dashboard/bindings', '/dashboard/members', '/dashboard/account']) {
    await open(path)
    assert.ok(await page.$('h1'), path)
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    assert.ok(wider <= 0, `${path} is ${wider} px too wide`)
  }
})
