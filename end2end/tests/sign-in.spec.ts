import { demo, expect, fillSignIn, ready, said, signIn, test } from './support'

test('a visitor is led to the sign-in and from there to the page they asked for', async ({ page }) => {
  await page.goto('/dashboard/sync?status=failed&event=invoice.paid')
  await expect(page).toHaveURL(/\/sign-in\?next=/)
  await fillSignIn(page, demo().email, demo().password)
  await expect(page).toHaveURL(/\/dashboard\/sync\?status=failed&event=invoice\.paid$/)
  await expect(page.getByRole('link', { name: /^Failed \d/ })).toHaveAttribute('aria-current', 'true')
  await ready(page)
})

test('the first address leads to the overview', async ({ page }) => {
  await page.goto('/')
  await expect(page).toHaveURL(/\/sign-in$/)
  await fillSignIn(page, demo().email, demo().password)
  await expect(page).toHaveURL(/\/dashboard$/)
  await ready(page)
  await expect(page.getByRole('heading', { name: 'Overview' })).toBeVisible()
})

for (const [who, email] of [
  ['a member with a wrong password', 'demo@ledger.example'],
  ['an unknown person', 'nobody@ledger.example'],
]) {
  test(`${who} is refused in the same words and keeps what was typed`, async ({ page }) => {
    await page.goto('/sign-in')
    await fillSignIn(page, email, 'a wrong password')
    await expect(page.getByRole('alert')).toContainText('The e-mail address or password is not correct.')
    await expect(page.getByLabel('E-mail address')).toHaveValue(email)
    await expect(page.getByLabel('Password')).toHaveValue('')
    await expect(page.getByLabel('Password')).toBeFocused()
    expect(decodeURIComponent(page.url())).not.toContain('wrong password')
  })
}

test('empty fields are named, and the way on survives a refusal', async ({ page }) => {
  await page.goto('/dashboard/sync?status=waiting')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByLabel('E-mail address')).toHaveAccessibleDescription('Enter a value.')
  await expect(page.getByLabel('Password')).toHaveAccessibleDescription('Enter a value.')
  await expect(page.getByLabel('E-mail address')).toBeFocused()
  await fillSignIn(page, demo().email, demo().password)
  await expect(page).toHaveURL(/\/dashboard\/sync\?status=waiting$/)
  await ready(page)
})

test('a sign-in never leads to another site', async ({ page }) => {
  await page.goto('/sign-in?next=//evil.example/steal')
  await fillSignIn(page, demo().email, demo().password)
  await expect(page).toHaveURL(/\/dashboard$/)
  await ready(page)
})

test('who signs out is out', async ({ page }) => {
  await signIn(page)
  await page.getByRole('button', { name: 'Sign out' }).click()
  await expect(said(page, 'You are signed out.')).toBeVisible()
  await page.goto('/dashboard')
  await expect(page).toHaveURL(/\/sign-in$/)
})

test('the choice of colours stays', async ({ page }) => {
  await signIn(page)
  for (const [name, theme] of [['Dark', 'dark'], ['Light', 'light']]) {
    await page.getByRole('button', { name }).click()
    await expect(page.locator('html')).toHaveAttribute('data-theme', theme)
    await expect(page.getByRole('button', { name })).toHaveAttribute('aria-pressed', 'true')
    await ready(page)
  }
  await page.getByRole('button', { name: 'System' }).click()
  await expect(page.locator('html')).not.toHaveAttribute('data-theme')
  await ready(page)
})
