// The desk in Firefox as Debian ships it, driven over WebDriver BiDi. Each test fails on any warning or error in the console.
import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import { readFileSync } from 'node:fs'
import puppeteer from 'puppeteer-core'

const demo = JSON.parse(readFileSync(process.env.LEDGER_INFO, 'utf8'))
const SECONDS = 1_000

let browser
let page
let noise

before(async () => {
  browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: process.env.LEDGER_FIREFOX ?? '/usr/bin/firefox-esr',
    headless: true,
    defaultViewport: { width: 1280, height: 900 },
  })
})

after(() => browser?.close())

beforeEach(async () => {
  page = await browser.newPage()
  page.setDefaultTimeout(20 * SECONDS)
  noise = []
  page.on('console', (message) => {
    if (['error', 'warn', 'warning'].includes(message.type())) noise.push(`${message.type()}: ${message.text()}`)
  })
  page.on('pageerror', (error) => noise.push(`uncaught: ${error.message}`))
})

afterEach(async () => {
  await page.close()
  assert.deepEqual(noise, [], 'the console stays silent')
})

async function open(path) {
  await page.goto(new URL(path, demo.ledger).href)
  if (new URL(page.url()).pathname === '/sign-in') {
    await page.locator('input[type=email]').fill(demo.email)
    await page.locator('input[type=password]').fill(demo.password)
    await Promise.all([page.waitForNavigation(), page.locator('button[type=submit].button-main').click()])
  }
  await page.waitForSelector('.live[data-line="open"]')
}

const text = (selector) => page.$eval(selector, (element) => element.textContent.trim())
const until = (claim, ...given) => page.waitForFunction(claim, {}, ...given)

/** A customer that Magento does not know: its run fails. */
async function failingCustomer() {
  const id = Math.floor(Date.now() / 100) % 4_000_000_000
  const post = (path, body) =>
    fetch(new URL(path, demo.magento), { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
  await post('/_sim/enqueue', { event: 'customer.upserted', id })
  await post('/_sim/cron', {})
  return `#${id}`
}

async function failedRow() {
  const number = await failingCustomer()
  await open('/dashboard/sync?event=customer.upserted')
  await until((number) => [...document.querySelectorAll('tbody.run[data-status=failed]')].some((row) => row.textContent.includes(number)), number)
  return number
}

test('a filter, the search and Back stay on the page', async () => {
  await open('/dashboard/sync')
  await page.evaluate(() => (window.stayed = true))
  await page.locator('a.pill[data-status=succeeded]').click()
  await until(() => location.search === '?status=succeeded')
  await until(() => [...document.querySelectorAll('tbody.run')].every((row) => row.dataset.status === 'succeeded'))
  await page.locator('#q').fill('000000001')
  await until(() => location.search.includes('q=000000001'))
  await page.evaluate(() => history.back())
  await until(() => document.querySelector('a.pill[aria-current]').textContent.trim().startsWith('All'))
  assert.equal(await page.evaluate(() => window.stayed), true, 'no other page was loaded')
})

test('a failed run is retried in place, and its outcome is said', async () => {
  const number = await failedRow()
  await page.evaluate(() => (window.stayed = true))
  await page.keyboard.press('n')
  assert.equal(await page.evaluate(() => document.activeElement.closest('tbody.run')?.dataset.status), 'failed')
  await page.keyboard.press('r')
  await until(() => document.querySelector('.toast')?.textContent.includes('failed again.'))
  assert.match(await text('.toast'), /^#\d+ failed again\./)
  assert.ok(number)
  assert.equal(await page.evaluate(() => document.activeElement.className), 'run-number', 'the focus stays in the row')
  assert.equal(await page.evaluate(() => window.stayed), true, 'no other page was loaded')
})

test('a cause is retried with two clicks', async () => {
  await failedRow()
  await open('/dashboard/sync/causes')
  await page.locator('.cause a.button ::-p-text(Retry)').click()
  await page.locator('.cause .cause-acts:not([hidden]) button.button-main').click()
  await until(() => /Complete: \d+ queued.*failed again/s.test(document.querySelector('.jobs').textContent))
})

test('a run says what happened and what to do', async () => {
  await failedRow()
  await Promise.all([page.waitForNavigation(), page.locator('tbody.run[data-status=failed] .run-number').click()])
  await page.waitForSelector('.live[data-line="open"]')
  assert.match(await text('#advice-title'), /\.$/)
})

test('the overview, the shops and the people open without a word in the console', async () => {
  for (const path of ['/dashboard', '/dashboard/bindings', '/dashboard/members', '/dashboard/account']) {
    await page.goto(new URL(path, demo.ledger).href)
    if (new URL(page.url()).pathname === '/sign-in') await open(path)
    assert.ok(await page.$('h1'), path)
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    assert.ok(wider <= 0, `${path} is ${wider} px too wide`)
  }
})
