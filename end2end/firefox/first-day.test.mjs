// The first day of a merchant, in Firefox: from the invitation's organisation to the first invoice in Sage.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { control, demo, follow, live, open, page, text, until } from './support.mjs'

const LEDGER = '../target/release/ledger'
const CODE = '0123456789abcdef'

/** A new organisation with its owner, as an operator makes it on the command line. */
function owner() {
  const who = { email: `firefox-${Date.now()}@shop.example`, password: 'several good words' }
  const options = ['users', 'add', '--organisation', 'Fox and Sons', '--email', who.email, '--name', 'Olga']
  execFileSync(LEDGER, options, { env: { ...process.env, LEDGER_DATABASE_URL: demo.database, LEDGER_PASSWORD: who.password } })
  return who
}

/** A shop of its own. */
async function shop() {
  const options = ['simulate', 'magento', '--documents', '../fixtures/documents', '--pairing-code', CODE]
  const shop = spawn(LEDGER, options, { stdio: ['ignore', 'pipe', 'ignore'] })
  let said = ''
  while (!said.includes('Pairing code')) said += String((await once(shop.stdout, 'data'))[0])
  return { url: /at (http:\S+);/.exec(said)[1], process: shop }
}

test('the whole first day', async () => {
  const { url, process } = await shop()
  try {
    await open('/dashboard', owner())
    await follow('main a::-p-text(Connect a shop)')
    await page.locator('#name').fill('Fox shop')
    await page.locator('#url').fill(url)
    await page.locator('#code').fill(CODE)
    await follow('button::-p-text(Pair the shop)')
    assert.equal(await text('.flash'), 'The shop is paired. Now connect Sage.')
    await page.select('#country', 'GB')
    await follow('button::-p-text(Continue to Sage)')
    await follow('button::-p-text(Approve)')
    await page.waitForSelector('.choice')
    await follow('.choice button::-p-text(Corner Stall)')
    await until(() => document.querySelector('.page-head .chip')?.textContent.trim() === 'Not set up')
    await page.locator('button::-p-text(Use these settings)').click()
    await until(() => document.querySelector('.flash')?.textContent.includes('The settings are in use.'))
    await control(url, '/_sim/enqueue', { event: 'invoice.created', id: 1 })
    await control(url, '/_sim/cron', {})
    await follow('nav a::-p-text(Sync runs)')
    await live()
    await until(() => /Succeeded.*000000001.*SI-\d+/s.test(document.querySelector('tbody.run')?.textContent ?? ''))
  } finally {
    process.kill()
  }
})
