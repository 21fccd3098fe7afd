import { execFileSync } from 'node:child_process'
import { CODE, another, anotherShop, demo, expect, hasScript, invite, look, mailed, press, ready, runs, said, signIn, test, to, type } from './support'

const CHOSEN = 'several good words'

/** Each first day has its own organisation, person, shop and numbers. */
let day = Date.now() % 10_000

/** A new organisation with its first owner, as an operator makes it on the command line. */
function organisation(): { email: string; password: string } {
  const email = `owner-${day}-${hasScript() ? 'js' : 'plain'}@shop.example`
  const options = ['users', 'add', '--organisation', `Shop of day ${day}`, '--email', email, '--name', 'Olga']
  const env = { ...process.env, LEDGER_DATABASE_URL: demo().database, LEDGER_PASSWORD: CHOSEN }
  execFileSync('../target/release/ledger', options, { env })
  return { email, password: CHOSEN }
}

async function tell(shop: string, path: string, body: unknown) {
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(new URL(path, shop), { method: 'POST', headers, body: JSON.stringify(body) })
  expect(answer.ok, `${path}: ${answer.status}`).toBe(true)
}

/** How many invoices of all of Sage's businesses bear a reference. */
async function invoicesInSage(reference: string): Promise<number> {
  const { businesses } = await (await fetch(new URL('/_sim/books', demo().sage))).json()
  const invoices = Object.values<{ sales_invoices: { reference: string }[] }>(businesses).flatMap((books) => books.sales_invoices)
  return invoices.filter((invoice) => invoice.reference === reference).length
}

const WIDTHS = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 900 } }

for (const colorScheme of ['light', 'dark'] as const) {
  for (const [width, viewport] of Object.entries(WIDTHS)) {
    test.describe(`${colorScheme} on a ${width}`, () => {
      test.use({ colorScheme, viewport })

      test('the whole first day, by keyboard alone', async ({ page, browser }) => {
        test.slow()
        day += 1
        const shot = (name: string) => look(page, `first-day-${width}-${colorScheme}-${name}`)
        const owner = await another(browser)
        await signIn(owner, '/dashboard/sync', organisation())
        const email = `first-${day}-${hasScript() ? 'js' : 'plain'}@shop.example`
        const link = await invite(owner, email, 'owner')
        await owner.context().close()
        const shop = await anotherShop()
        try {
          await page.goto(link)
          await shot('1-invitation')
          await press(page, page.getByRole('button', { name: 'Send a code' }))
          await expect(said(page, 'A code has been sent')).toBeVisible()
          await type(page, page.getByLabel('Code'), await mailed(email))
          await type(page, page.getByLabel('Your name'), 'Ada')
          await type(page, page.getByLabel('Choose a password'), CHOSEN)
          await page.keyboard.press('Enter')
          await expect(page.getByRole('heading', { name: 'Overview' })).toBeVisible()
          await ready(page)

          await press(page, page.getByRole('link', { name: 'Shops' }))
          await press(page, page.getByRole('link', { name: 'Connect a shop' }))
          await type(page, page.getByLabel('Name'), `Shop of day ${day}`)
          await type(page, page.getByLabel('Shop address'), shop.url)
          await type(page, page.getByLabel('Pairing code'), CODE)
          await shot('2-pairing')
          await page.keyboard.press('Enter')

          await expect(said(page, 'The shop is paired. Now connect Sage.')).toBeVisible()
          await to(page, page.getByLabel('Country of the business'))
          await page.keyboard.type('United K')
          await shot('3-consent')
          await press(page, page.getByRole('button', { name: 'Continue to Sage' }))
          await press(page, page.getByRole('button', { name: 'Approve' }))
          await expect(page.getByRole('heading', { name: 'Choose a business' })).toBeVisible()
          await shot('4-business')
          await press(page, page.getByRole('button', { name: 'Corner Stall' }))

          await expect(page.locator('.page-head .chip')).toHaveText('Not set up', { timeout: 15_000 })
          const ahead = page.getByRole('region', { name: 'Before the first invoice' })
          await expect(ahead.getByText('no_settings')).toBeVisible()
          await shot('5-ahead')
          await press(page, page.getByRole('link', { name: 'Settings', exact: true }))
          await expect(page.getByText('Nothing is posted until you save them')).toBeVisible()
          await type(page, page.getByLabel('Reference prefix'), `D${day}-`)
          await shot('6-settings')
          await press(page, page.getByRole('button', { name: 'Save' }).last())
          await expect(page.getByRole('status').filter({ hasText: 'Waiting documents are queued.' })).toBeVisible()

          await tell(shop.url, '/_sim/enqueue', { event: 'invoice.created', id: 1 })
          await tell(shop.url, '/_sim/cron', {})
          await press(page, page.getByRole('link', { name: 'Sync runs' }))
          await expect(page.getByRole('heading', { name: 'Sync runs' })).toBeVisible()
          await expect(async () => {
            await page.reload()
            await ready(page)
            await expect(runs(page)).toHaveCount(1, { timeout: 200 })
            await expect(runs(page)).toContainText(/Succeeded.*000000001.*SI-\d+/, { timeout: 200 })
          }).toPass({ timeout: 20_000, intervals: [300] })
          await shot('7-first-invoice')
          expect(await invoicesInSage(`D${day}-000000001`), 'the invoice is in Sage, once').toBe(1)

          await press(page, page.getByRole('link', { name: 'Shops' }))
          await press(page, page.getByRole('link', { name: `Shop of day ${day}` }))
          await press(page, page.getByText('Disconnect', { exact: true }))
          await type(page, page.getByLabel('Your password'), CHOSEN)
          await page.keyboard.press('Enter')
          await expect(page.locator('.page-head .chip')).toHaveText('Disconnected')
        } finally {
          shop.process.kill()
        }
      })
    })
  }
}
