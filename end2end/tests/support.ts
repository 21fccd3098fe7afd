import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import AxeBuilder from '@axe-core/playwright'
import { type Browser, expect, type Locator, test as base, type Page } from '@playwright/test'

/** What the demo wrote into its information file. */
export interface Demo {
  ledger: string
  magento: string
  sage: string
  mail: string
  email: string
  password: string
  database: string
}

export function demo(): Demo {
  return JSON.parse(readFileSync(process.env.LEDGER_INFO ?? '', 'utf8'))
}

const allowed = new WeakMap<Page, string[]>()

/** What the console of a page may say once, because the test brings it about. */
export function allow(page: Page, what: string) {
  allowed.set(page, [...(allowed.get(page) ?? []), what])
}

/** Every test fails on any error or warning in the browser's console. */
export const test = base.extend<{ quiet: void }>({
  baseURL: async ({}, use) => {
    await use(demo().ledger)
  },
  quiet: [
    async ({ page }, use) => {
      const noise: string[] = []
      page.on('console', (message) => {
        // What the pages of the simulators say is not Ledger's.
        if (message.location().url.startsWith(demo().sage)) return
        // Without JavaScript the browser regrets having fetched what only JavaScript would have used.
        if (!hasScript() && message.text().includes('was preloaded using link preload but not used')) return
        if (allowed.get(page)?.some((what) => message.text().includes(what))) return
        if (['error', 'warning'].includes(message.type())) noise.push(`${message.type()}: ${message.text()}`)
      })
      // Where a page breaks is told by the whole stack and by the address.
      await page.addInitScript(() => (Error.stackTraceLimit = 100))
      page.on('pageerror', (error) => noise.push(`uncaught at ${page.url()}: ${error.message}`))
      await use()
      expect(noise, 'the console stays silent').toEqual([])
    },
    { auto: true },
  ],
})

export { expect }

export function hasScript(): boolean {
  return test.info().project.name !== 'no-js'
}

/** Waits until the browser has taken over the page; without JavaScript there is nothing to wait for. */
export async function ready(page: Page) {
  if (hasScript()) await expect(page.locator('.live[data-line="open"]')).toBeVisible()
}

export async function fillSignIn(page: Page, email: string, password: string) {
  await page.getByLabel('E-mail address').fill(email)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

export async function signIn(page: Page, path = '/dashboard/sync', who: Pick<Demo, 'email' | 'password'> = demo()) {
  await page.goto(path)
  await fillSignIn(page, who.email, who.password)
  await expect(page.getByRole('heading', { name: 'Sync runs' })).toBeVisible()
  await ready(page)
}

/** The rows of the list, each with its reason. */
export function runs(page: Page) {
  return page.locator('tbody.run')
}

/** The address of the page of a run's row. */
export async function pageOf(row: Locator): Promise<string> {
  return (await row.locator('.run-number').getAttribute('href')) ?? ''
}

/** The row of one event of a document. */
export function run(page: Page, number: string, event: string) {
  return runs(page).filter({ has: page.getByText(number, { exact: true }) }).filter({ has: page.getByText(event, { exact: true }) })
}

async function control(path: string, body: unknown) {
  const answer = await fetch(new URL(path, demo().magento), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  expect(answer.ok, `${path}: ${answer.status}`).toBe(true)
}

// The module's outbox takes a key once in thirty days, so each customer that is saved is another one.
// Magento numbers them in 32 bits.
let customer = Math.floor(Date.now() / 100) % 4_000_000_000

/** Saves a new customer in the shop and lets the shop's cron announce it; what its run is called. */
export async function saveCustomer(): Promise<string> {
  customer += 1
  await control('/_sim/enqueue', { event: 'customer.upserted', id: customer })
  await control('/_sim/cron', {})
  return `#${customer}`
}

const spoilt: { path: string; body: number[] }[] = []

/** A credit memo that names no invoice and whose tax nothing shows: its run waits for somebody. Its number. */
export async function heldMemo(): Promise<string> {
  customer += 1
  const memo = JSON.parse(readFileSync('../fixtures/documents/creditmemo-2-unrounded.json', 'utf8'))
  const number = String(customer).padStart(9, '0')
  Object.assign(memo, { magento_id: customer, increment_id: number })
  // Of somebody who has bought more than that, and whose order it does not name.
  const bought = JSON.parse(readFileSync('../fixtures/documents/creditmemo-1a.json', 'utf8'))
  memo.customer = bought.customer
  spoilt.push({ path: `/${customer}`, body: [...Buffer.from(JSON.stringify(memo))] })
  await control('/_sim/faults', { spoilt })
  await control('/_sim/enqueue', { event: 'creditmemo.created', id: customer })
  await control('/_sim/cron', {})
  return number
}

/** What the page says was done, wherever it says it: in its first line or in a toast. */
export function said(page: Page, text: string | RegExp) {
  return page.getByRole('status').filter({ hasText: text }).first()
}

/** Waits, by reloading, until nothing is queued, at work or about to be tried again. */
export async function settled(page: Page) {
  await expect(async () => {
    await page.reload()
    await ready(page)
    const busy = page.locator('tbody.run:is([data-status="queued"], [data-status="running"], [data-status="retrying"])')
    await expect(busy).toHaveCount(0, { timeout: 200 })
    await expect(runs(page)).not.toHaveCount(0, { timeout: 200 })
  }).toPass({ timeout: 60_000, intervals: [300] })
}

/** Takes the picture, and with JavaScript asks axe. */
export async function look(page: Page, name: string) {
  await page.screenshot({ path: `screenshots/${test.info().project.name}/${name}.png`, fullPage: true })
  if (!hasScript()) return
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
  expect(wider, 'nothing sticks out sideways').toBeLessThanOrEqual(0)
  const { violations } = await new AxeBuilder({ page }).analyze()
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
  const report = serious.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' | ')}`)
  expect(report, 'axe finds nothing serious').toEqual([])
}

/** The pairing code of another shop. */
export const CODE = '0123456789abcdef'

/** Another shop: the demo's own is paired already, and Sage's businesses are free again when its test has ended. */
export async function anotherShop(): Promise<{ url: string; process: ChildProcess }> {
  const options = ['simulate', 'magento', '--documents', '../fixtures/documents', '--pairing-code', CODE]
  const shop = spawn('../target/release/ledger', options, { stdio: ['ignore', 'pipe', 'ignore'] })
  let said = ''
  while (!said.includes('Pairing code')) said += String((await once(shop.stdout, 'data'))[0])
  return { url: /at (http:\S+);/.exec(said)?.[1] ?? '', process: shop }
}

/** An owner invites somebody; tells the link. */
export async function invite(page: Page, email: string, role: string): Promise<string> {
  await page.goto('/dashboard/members')
  await page.getByLabel('E-mail address').fill(email)
  await page.getByLabel('Role', { exact: true }).selectOption(role)
  await page.getByRole('button', { name: 'Create invitation' }).click()
  await expect(page.getByRole('heading', { name: 'The invitation’s link' })).toBeVisible()
  return (await page.locator('.once-text').innerText()).trim()
}

/** The code in the newest letter to an address. */
export async function mailed(email: string): Promise<string> {
  const mails: { to: string[]; text: string }[] = await (await fetch(`${demo().mail}/_sim/mails`)).json()
  const letter = mails.findLast(({ to }) => to.includes(email))
  return /^ {4}([0-9A-F]{6,10})$/m.exec(letter?.text ?? '')?.[1] ?? ''
}

/** An invited person proves their address and joins. */
export async function join(page: Page, link: string, email: string, name: string, password: string) {
  await page.goto(link)
  await page.getByRole('button', { name: 'Send a code' }).click()
  await expect(page.locator('.flash')).toContainText('A code has been sent')
  await page.getByLabel('Code').fill(await mailed(email))
  await page.getByLabel('Your name').fill(name)
  await page.getByLabel('Choose a password').fill(password)
  await page.getByRole('button', { name: 'Join' }).click()
  await expect(page.getByRole('heading', { name: 'Overview' })).toBeVisible()
  await ready(page)
}

/** Another person with a browser of their own. */
export async function another(browser: Browser): Promise<Page> {
  const context = await browser.newContext({ baseURL: demo().ledger, javaScriptEnabled: hasScript() })
  return context.newPage()
}

/** Presses Tab until the focus stands on what is wanted. */
export async function to(page: Page, wanted: Locator) {
  await expect(wanted).toBeVisible()
  for (let steps = 0; steps < 200; steps += 1) {
    if (await wanted.evaluate((element) => element === document.activeElement)) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`the keyboard does not reach ${wanted}`)
}

/** Types into a field that the keyboard leads to. */
export async function type(page: Page, field: Locator, text: string) {
  await to(page, field)
  await page.keyboard.press('ControlOrMeta+a')
  await page.keyboard.type(text)
}

/** Presses Enter on what the keyboard leads to. */
export async function press(page: Page, wanted: Locator) {
  await to(page, wanted)
  await page.keyboard.press('Enter')
}
