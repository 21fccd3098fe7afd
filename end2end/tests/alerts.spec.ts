import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { another, expect, hasScript, invite, join, look, mailed, said, signIn, test } from './support'
import type { Browser, Page } from '@playwright/test'

const CHOSEN = 'several good words'

/** Each project, and each run on the same demo, invites other people: a member has few ways to be told, and few tests at once. */
let count = Date.now() % 1_000_000
const somebody = () => `told-${(count += 1)}-${hasScript() ? 'js' : 'plain'}@shop.example`

/** A new member on the page of their alerts. */
async function member(browser: Browser, owner: Page): Promise<{ page: Page; email: string }> {
  const email = somebody()
  await signIn(owner)
  const link = await invite(owner, email, 'operator')
  const page = await another(browser)
  await join(page, link, email, 'Tess', CHOSEN)
  await page.goto('/dashboard/account')
  await page.getByRole('link', { name: 'Manage your alerts' }).click()
  await expect(page.getByRole('heading', { name: 'Alerts', level: 1 })).toBeVisible()
  return { page, email }
}

interface Call {
  headers: IncomingHttpHeaders
  body: string
}

/** A receiver of webhooks on this machine. */
async function receiver() {
  const calls: Call[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (part) => (body += part))
    request.on('end', () => {
      calls.push({ headers: request.headers, body })
      response.writeHead(204).end()
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, calls, server }
}

/** The signature, computed by what has arrived and the secret alone. */
function signature({ headers, body }: Call, secret: string): string {
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64')
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`
  return `v1,${createHmac('sha256', key).update(signed).digest('base64')}`
}

test('a webhook is added, tested, changed, gets another secret and is removed', async ({ page: owner, browser }) => {
  test.slow()
  const { page } = await member(browser, owner)
  const hooks = await receiver()
  await look(page, 'alerts-empty')
  await page.getByRole('button', { name: 'Add this webhook' }).click()
  await expect(page.getByLabel('Address', { exact: true })).toHaveAccessibleDescription(/Enter a value\./)
  await expect(page.getByLabel('Address', { exact: true })).toBeFocused()
  await page.getByLabel('Address', { exact: true }).fill('http://receiver.example/hook')
  await page.getByRole('button', { name: 'Add this webhook' }).click()
  await expect(page.getByRole('alert')).toContainText('hook_not_https')
  await expect(page.getByLabel('Address', { exact: true })).toHaveValue('http://receiver.example/hook')
  await look(page, 'alerts-refused')

  await page.getByLabel('Address', { exact: true }).fill(hooks.url)
  await page.getByRole('button', { name: 'Add this webhook' }).click()
  const secret = await page.locator('.once-text').innerText()
  expect(secret).toMatch(/^whsec_/)
  await look(page, 'alerts-secret')
  await page.reload()
  await expect(page.locator('.once-text')).toHaveCount(0)
  const card = page.getByRole('listitem').filter({ hasText: hooks.url })
  await card.getByRole('button', { name: 'Send a test' }).click()
  await expect(said(page, 'The test message was delivered.')).toBeVisible()
  expect(hooks.calls[0].headers['webhook-signature']).toBe(signature(hooks.calls[0], secret))
  expect(JSON.parse(hooks.calls[0].body).type).toBe('test')
  await expect(card).toContainText('Last delivered')

  await card.getByText(/^Sends /).click()
  await card.getByLabel('A document needs attention').uncheck()
  await card.getByLabel('Blue Mug shop').check()
  await card.getByLabel('When').selectOption('digest_hourly')
  await look(page, 'alerts-choices')
  await card.getByRole('button', { name: 'Save' }).click()
  await expect(card).toContainText('6 of 7 alerts for one shop. Hourly summary')

  await card.getByRole('button', { name: 'New secret' }).click()
  const newer = await page.locator('.once-text').innerText()
  expect(newer).not.toBe(secret)
  await card.getByRole('button', { name: 'Send a test' }).click()
  await expect(said(page, 'The test message was delivered.')).toBeVisible()
  expect(hooks.calls[1].headers['webhook-signature']).toBe(signature(hooks.calls[1], newer))

  hooks.server.close()
  hooks.server.closeAllConnections()
  await card.getByRole('button', { name: 'Send a test' }).click()
  await expect(page.getByRole('alert')).toContainText('message_refused')
  await expect(card).toContainText('Ledger cannot reach the receiver')
  await look(page, 'alerts-not-reached')
  await card.getByText('Remove', { exact: true }).click()
  await card.getByRole('button', { name: 'Remove this channel' }).click()
  await expect(page.getByText(hooks.url)).toHaveCount(0)
  await page.context().close()
})

test('an address is used once it is confirmed', async ({ page: owner, browser }) => {
  test.slow()
  const { page, email } = await member(browser, owner)
  await expect(page.getByLabel('E-mail address', { exact: true })).toHaveValue(email)
  await page.getByRole('button', { name: 'Add this address' }).click()
  const own = page.getByRole('listitem').filter({ hasText: email })
  await expect(own.getByLabel('Code')).toBeVisible()
  await own.getByLabel('Code').fill(await mailed(email))
  await own.getByRole('button', { name: 'Confirm' }).click()
  await own.getByRole('button', { name: 'Send a test' }).click()
  await expect(said(page, 'The test message was delivered.')).toBeVisible()

  const other = somebody()
  await page.getByLabel('E-mail address', { exact: true }).fill(other)
  await page.getByRole('button', { name: 'Add this address' }).click()
  await expect(said(page, 'A code has been sent')).toBeVisible()
  await look(page, 'alerts-confirm')
  const card = page.getByRole('listitem').filter({ hasText: other })
  await expect(card.getByRole('button', { name: 'Send a test' })).toHaveCount(0)
  await card.getByLabel('Code').fill('0000000000')
  await card.getByRole('button', { name: 'Confirm' }).click()
  await expect(page.getByRole('alert')).toContainText('wrong_proof')
  await card.getByLabel('Code').fill(await mailed(other))
  await card.getByRole('button', { name: 'Confirm' }).click()
  await expect(card.getByRole('button', { name: 'Send a test' })).toBeVisible()
  await page.context().close()
})

const WIDTHS = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 900 } }

for (const colorScheme of ['light', 'dark'] as const) {
  for (const [width, viewport] of Object.entries(WIDTHS)) {
    test.describe(`${colorScheme} on a ${width}`, () => {
      test.use({ colorScheme, viewport })

      test('the page of alerts', async ({ page }) => {
        await signIn(page)
        await page.goto('/dashboard/account/alerts')
        await look(page, `alerts-${width}-${colorScheme}`)
      })
    })
  }
}
