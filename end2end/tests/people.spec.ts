import { createHmac } from 'node:crypto'
import { another, demo, expect, fillSignIn, hasScript, invite, join, look, ready, said, signIn, test } from './support'

const CHOSEN = 'several good words'

/** Each project, and each run on the same demo, invites other people. */
let count = Date.now() % 1_000_000
const somebody = () => `guest-${(count += 1)}-${hasScript() ? 'js' : 'plain'}@shop.example`

/** The code that an authenticator app shows at a moment (RFC 6238). */
function code(key: string, at = Date.now()): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  const bits = [...key.replace(/\s/g, '')].map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, '0')).join('')
  const secret = Buffer.from(bits.match(/.{8}/g)?.map((byte) => parseInt(byte, 2)) ?? [])
  const step = Buffer.alloc(8)
  step.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)))
  const digest = createHmac('sha1', secret).update(step).digest()
  const number = digest.readUInt32BE((digest.at(-1) ?? 0) & 15) & 0x7fffffff
  return String(number % 1_000_000).padStart(6, '0')
}

test('somebody is invited, joins, gets another role and is removed', async ({ page, browser }) => {
  test.slow()
  const email = somebody()
  await signIn(page)
  await page.getByRole('link', { name: 'People' }).click()
  await expect(page.getByRole('heading', { name: 'People' })).toBeVisible()
  await page.getByRole('button', { name: 'Create invitation' }).click()
  await expect(page.getByLabel('E-mail address')).toHaveAccessibleDescription('Enter a value.')
  await expect(page.getByLabel('E-mail address')).toBeFocused()

  const link = await invite(page, email, 'operator')
  expect(page.url()).not.toContain(link.split('/').pop())
  await look(page, 'people-invited')
  await page.reload()
  await expect(page.locator('.once-text')).toHaveCount(0)
  const invited = page.getByRole('listitem').filter({ hasText: email })
  await expect(invited).toContainText('Operator, until')

  const guest = await another(browser)
  await guest.goto(link)
  await expect(guest.getByText('Blue Mug Ltd')).toBeVisible()
  await expect(guest.getByText(email)).toBeVisible()
  await look(guest, 'invitation')
  await guest.getByLabel('Your name').fill('Gwen')
  await guest.getByLabel('Choose a password').fill('short')
  await guest.getByRole('button', { name: 'Join' }).click()
  await expect(guest.getByLabel('Your name')).toHaveValue('Gwen')
  await expect(guest.getByLabel('Choose a password')).toHaveAccessibleDescription(/Use at least 12 characters\./)
  await expect(guest.getByLabel('Code')).toHaveAccessibleDescription(/Enter a value\./)
  await expect(guest.getByLabel('Code')).toBeFocused()
  await look(guest, 'invitation-refused')
  await join(guest, link, email, 'Gwen', CHOSEN)
  await guest.goto(link)
  await expect(guest.getByRole('alert')).toContainText('invitation_gone')
  await look(guest, 'invitation-gone')
  await guest.goto('/dashboard/members')
  await expect(guest.getByRole('heading', { name: 'Invite someone' })).toHaveCount(0)
  await expect(guest.getByRole('link', { name: 'Activity' })).toHaveCount(0)

  await page.reload()
  const card = page.getByRole('listitem').filter({ hasText: email })
  await card.getByLabel('Role of Gwen').selectOption('accountant')
  await card.getByRole('button', { name: 'Change role' }).click()
  await expect(said(page, 'Saved.')).toBeVisible()
  await expect(card.locator('.card-line').nth(1)).toHaveText('Accountant')
  await card.getByText('Remove Gwen', { exact: true }).click()
  await card.getByRole('button', { name: 'Remove Gwen now' }).click()
  await expect(said(page, 'Removed.')).toBeVisible()
  await expect(page.getByText(email)).toHaveCount(0)

  await page.getByRole('link', { name: 'Activity' }).click()
  await expect(page.getByRole('heading', { name: 'Activity' })).toBeVisible()
  const done = page.getByRole('row').filter({ hasText: email })
  for (const what of ['Invited someone', 'Accepted an invitation', 'Changed a role', 'Removed a member']) {
    await expect(done.filter({ hasText: what })).toHaveCount(1)
  }
  await look(page, 'activity')
  await page.getByLabel('Activity', { exact: true }).selectOption({ label: 'Removed a member' })
  await page.getByRole('button', { name: 'Apply' }).click()
  await expect(done).toHaveCount(1)

  await guest.goto('/dashboard/members')
  await expect(guest).toHaveURL(/\/sign-in/)
  await guest.context().close()
})

test('the last owner stays one', async ({ page }) => {
  await signIn(page)
  await page.goto('/dashboard/members')
  const me = page.getByRole('listitem').filter({ hasText: demo().email })
  await expect(me).toContainText('Owner')
  // There is nothing to choose; the server refuses it all the same.
  await expect(me.getByLabel(/^Role of/)).toHaveCount(0)
})

test('a second factor is set up, asked for, and stands in by recovery code', async ({ page, browser }) => {
  test.slow()
  const email = somebody()
  await signIn(page)
  const link = await invite(page, email, 'viewer')
  const guest = await another(browser)
  await join(guest, link, email, 'Guest', CHOSEN)
  await guest.getByRole('link', { name: 'Guest' }).click()
  await expect(guest.getByRole('heading', { name: 'Your account' })).toBeVisible()
  await look(guest, 'account')

  await guest.getByLabel('Your password').fill('not this one')
  await guest.getByRole('button', { name: 'Set up two-factor authentication' }).click()
  await expect(guest.getByRole('alert')).toContainText('wrong_password')
  await expect(guest.getByLabel('Your password')).toBeFocused()
  await guest.getByLabel('Your password').fill(CHOSEN)
  await guest.getByRole('button', { name: 'Set up two-factor authentication' }).click()
  await expect(guest.getByRole('img', { name: /QR code/ })).toBeVisible()
  await look(guest, 'account-set-up')
  const key = await guest.locator('.once-text').innerText()
  await guest.getByLabel('Code', { exact: true }).fill('000000')
  await guest.getByRole('button', { name: 'Confirm' }).click()
  await expect(guest.getByRole('alert')).toContainText('wrong_code')
  const first = code(key)
  await guest.getByLabel('Code', { exact: true }).fill(first)
  await guest.getByRole('button', { name: 'Confirm' }).click()
  await expect(said(guest, 'Two-factor authentication is on.')).toBeVisible()
  const codes = await guest.locator('.once-codes li').allInnerTexts()
  expect(codes).toHaveLength(10)
  await look(guest, 'account-codes')

  await guest.getByRole('button', { name: 'Sign out' }).click()
  await guest.goto('/dashboard/account')
  await fillSignIn(guest, email, CHOSEN)
  await expect(guest).toHaveURL(/\/sign-in\/code\?next=/)
  await expect(guest.getByLabel('Code', { exact: true })).toBeFocused()
  await look(guest, 'code')
  await guest.getByLabel('Code', { exact: true }).fill(first)
  await guest.getByRole('button', { name: 'Sign in' }).click()
  await expect(guest.getByRole('alert')).toContainText('wrong_code')
  await look(guest, 'code-refused')
  await guest.getByLabel('Code', { exact: true }).fill(codes[0])
  await guest.getByRole('button', { name: 'Sign in' }).click()
  await expect(guest).toHaveURL(/\/dashboard\/account$/)
  await expect(guest.getByText('Recovery codes left: 9.')).toBeVisible()

  await guest.getByText('Turn off', { exact: true }).click()
  await guest.getByLabel('Code from your app, or a recovery code').fill(codes[1])
  const off = guest.locator('details').filter({ hasText: 'Turn off' })
  await off.getByLabel('Your password').fill(CHOSEN)
  await guest.getByRole('button', { name: 'Turn off two-factor authentication' }).click()
  await expect(said(guest, 'Two-factor authentication is off.')).toBeVisible()
  await guest.context().close()
})

test('a person sees where they are signed in and ends it', async ({ page, browser }) => {
  await signIn(page)
  const other = await another(browser)
  await signIn(other)
  await page.goto('/dashboard/account')
  const sessions = page.locator('section').filter({ has: page.getByRole('heading', { name: 'Sessions' }) })
  await expect(sessions.getByText('This session')).toHaveCount(1)
  await sessions.getByRole('button', { name: 'End all other sessions' }).click()
  await expect(said(page, 'Signed out.')).toBeVisible()
  await expect(sessions.getByRole('listitem')).toHaveCount(1)
  await other.goto('/dashboard/account')
  await expect(other).toHaveURL(/\/sign-in/)
  await other.context().close()
})

test('too many tries say when to try again', async ({ page }) => {
  const email = somebody()
  await page.goto('/sign-in')
  for (let tries = 0; tries < 11; tries += 1) {
    await fillSignIn(page, email, 'a wrong guess')
    await expect(page.getByRole('alert')).toBeVisible()
  }
  await expect(page.getByRole('alert')).toContainText(/Try again in \d+ seconds\./)
  await expect(page.getByLabel('E-mail address')).toHaveValue(email)
  await look(page, 'sign-in-limited')
})

const WIDTHS = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 900 } }

for (const colorScheme of ['light', 'dark'] as const) {
  for (const [width, viewport] of Object.entries(WIDTHS)) {
    test.describe(`${colorScheme} on a ${width}`, () => {
      test.use({ colorScheme, viewport })

      test('the pages of people', async ({ page }) => {
        await signIn(page)
        const link = await invite(page, somebody(), 'accountant')
        await look(page, `people-${width}-${colorScheme}`)
        await page.goto('/dashboard/account')
        await look(page, `account-${width}-${colorScheme}`)
        await page.goto('/dashboard/activity')
        await expect(page.getByRole('heading', { name: 'Activity' })).toBeVisible()
        await look(page, `activity-${width}-${colorScheme}`)
        await page.goto(link)
        await look(page, `invitation-${width}-${colorScheme}`)
        await page.goto('/sign-in/code')
        await look(page, `code-${width}-${colorScheme}`)
      })
    })
  }
}
