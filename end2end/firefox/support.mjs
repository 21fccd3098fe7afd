// Firefox as Debian ships it, driven over WebDriver BiDi. Each test fails on any warning or error in the console.
import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach } from 'node:test'
import { readFileSync } from 'node:fs'
import puppeteer from 'puppeteer-core'

export const demo = JSON.parse(readFileSync(process.env.LEDGER_INFO, 'utf8'))
const SECONDS = 1_000

let browser
let noise
/** The page of the test that runs. */
export let page

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
  // Each test signs in for itself.
  const context = await browser.createBrowserContext()
  page = await context.newPage()
  page.setDefaultTimeout(20 * SECONDS)
  noise = []
  page.on('console', (message) => {
    // What the pages of the simulators say is not Ledger's.
    if (message.location().url?.startsWith(demo.sage)) return
    if (['error', 'warn', 'warning'].includes(message.type())) noise.push(`${message.type()}: ${message.text()}`)
  })
  page.on('pageerror', (error) => noise.push(`uncaught: ${error.message}`))
})

afterEach(async (test) => {
  if (test.passed === false) console.error(`${test.name} stopped at ${page.url()}: ${await page.$eval('main', (main) => main.innerText)}`)
  await page.browserContext().close()
  assert.deepEqual(noise, [], 'the console stays silent')
})

/** Opens a page, and signs in where that is asked for. */
export async function open(path, { email, password } = demo) {
  await page.goto(new URL(path, demo.ledger).href)
  if (new URL(page.url()).pathname === '/sign-in') {
    await page.locator('input[type=email]').fill(email)
    await page.locator('input[type=password]').fill(password)
    await follow('button[type=submit].button-main')
  }
}

/** Opens a page that follows changes, and waits until it does. */
export async function openLive(path, who) {
  await open(path, who)
  await live()
}

export const live = () => page.waitForSelector('.live[data-line="open"]')

/** Presses what leads to another page. */
export async function follow(selector) {
  await Promise.all([page.waitForNavigation(), page.locator(selector).click()])
}

export const text = (selector) => page.$eval(selector, (element) => element.textContent.trim())
export const until = (claim, ...given) => page.waitForFunction(claim, {}, ...given)

/** Marks the page, so that `assertStayed` knows whether another one was loaded since. */
export const mark = () => page.evaluate(() => (window.stayed = true))
export async function assertStayed() {
  assert.equal(await page.evaluate(() => window.stayed), true, 'no other page was loaded')
}

/** Tells a simulator something. */
export async function control(base, path, body) {
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(new URL(path, base), { method: 'POST', headers, body: JSON.stringify(body) })
  assert.ok(answer.ok, `${path}: ${answer.status}`)
}
