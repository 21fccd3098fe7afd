import { demo, expect, fillSignIn, look, test } from './support'
import type { Page } from '@playwright/test'

/** The shop's admin, which frames Ledger. */
async function admin(page: Page) {
  // The simulator has no icon, and a missing one is noise in the console.
  await page.route('**/favicon.ico', (route) => route.fulfill({ status: 204 }))
  await page.goto(new URL('/_sim/admin', demo().magento).href)
  return page.frameLocator('iframe')
}

async function address(page: Page): Promise<string> {
  return (await page.locator('iframe').getAttribute('src')) ?? ''
}

test('a member reads the history within Magento and signs out', async ({ page, context }) => {
  const frame = await admin(page)
  await frame.getByLabel('E-mail address').fill(demo().email)
  await frame.getByLabel('Password').fill('not this one')
  await frame.getByRole('button', { name: 'Sign in' }).click()
  await expect(frame.getByRole('alert')).toContainText('wrong_credentials')
  await expect(frame.getByLabel('E-mail address')).toHaveValue(demo().email)
  await frame.getByLabel('Password').fill(demo().password)
  await frame.getByLabel('Password').press('Enter')
  await expect(frame.getByRole('heading', { name: 'Blue Mug shop' })).toBeVisible()
  await expect(frame.getByRole('button', { name: /Retry/ })).toHaveCount(0)
  await frame.getByRole('link', { name: 'Skipped' }).click()
  await expect(frame.getByRole('link', { name: 'Skipped' })).toHaveAttribute('aria-current', 'true')

  const tab = context.waitForEvent('page')
  await frame.getByRole('link', { name: 'Open Ledger in a new tab' }).click()
  await expect(await tab).toHaveURL(/\/sign-in/)

  const own = await context.newPage()
  await own.goto(await address(page))
  await expect(own.getByRole('heading', { name: 'Blue Mug shop' })).toBeVisible()
  await look(own, 'embed')
  await own.goto('/dashboard/sync')
  await expect(own, 'the frame’s sign-in opens nothing else').toHaveURL(/\/sign-in/)

  await frame.getByRole('button', { name: 'Sign out' }).click()
  await expect(frame.getByRole('heading', { name: 'Sign in to Ledger' })).toBeVisible()
  await own.goto(await address(page))
  await look(own, 'embed-sign-in')
})

test('no other site may frame the history', async ({ browser }) => {
  const context = await browser.newContext()
  const page = await context.newPage()
  await admin(page)
  const history = await address(page)
  await page.route('http://elsewhere.example/', (route) =>
    route.fulfill({ contentType: 'text/html', body: `<iframe src="${history}"></iframe>` }),
  )
  await page.goto('http://elsewhere.example/')
  await expect.poll(() => page.frames().length).toBe(2)
  await expect(page.frameLocator('iframe').getByLabel('Password')).toHaveCount(0)
  await expect.poll(() => page.frames()[1].url()).toMatch(/^chrome-error:/)
  await context.close()
})

test('the history on a phone in the dark', async ({ browser }) => {
  const options = { baseURL: demo().ledger, colorScheme: 'dark', viewport: { width: 390, height: 844 } } as const
  const context = await browser.newContext(options)
  const page = await context.newPage()
  await admin(page)
  await page.goto(await address(page))
  await fillSignIn(page, demo().email, demo().password)
  await expect(page.getByRole('heading', { name: 'Blue Mug shop' })).toBeVisible()
  await look(page, 'embed-phone-dark')
  await context.close()
})
