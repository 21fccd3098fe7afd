import { expect, ready, run, runs, saveCustomer, settled, signIn, test } from './support'

// Magento's grand totals of the demo's documents in the shop's own currency.
const INVOICES = [
  ['000000001', '81.52'],
  ['000000002', '90.76'],
  ['000000003', '71.91'],
  ['000000004', '8.00'],
  ['000000008', '214.09'],
]

test('the demo\'s invoices are in Sage with Magento\'s totals', async ({ page }) => {
  await signIn(page, '/dashboard/sync?event=invoice.created')
  await settled(page)
  for (const [number, total] of INVOICES) {
    const row = run(page, number, 'Invoice created')
    await expect(row).toHaveAttribute('data-status', 'succeeded')
    await expect(row.locator('.run-amount')).toContainText(`GBP ${total}`)
    await expect(row.locator('.run-sage')).toHaveText(/^SI-\d+$/)
    await expect(row.locator('.differs')).toHaveCount(0)
  }
})

test('what was skipped says why and what to do', async ({ page }) => {
  await signIn(page, '/dashboard/sync?status=skipped_by_policy&event=product.upserted')
  await settled(page)
  const row = runs(page).first()
  await expect(row.locator('.run-reason')).toContainText(/\. \S.*\./)
  await expect(row.locator('.code')).toHaveText(/^[a-z_]+$/)
})

test('filters are addresses', async ({ page }) => {
  await signIn(page)
  await settled(page)
  await page.getByRole('link', { name: 'Skipped', exact: true }).click()
  await expect(page).toHaveURL(/\?status=skipped_by_policy$/)
  await expect(runs(page).filter({ hasNotText: 'Skipped' })).toHaveCount(0)
  await page.getByLabel('Event').selectOption('product.upserted')
  await page.getByRole('button', { name: 'Apply' }).click()
  await expect(page).toHaveURL(/\?status=skipped_by_policy&event=product\.upserted$/)
  await expect(page.getByLabel('Event')).toHaveValue('product.upserted')
  await expect(runs(page)).not.toHaveCount(0)
  await expect(runs(page).filter({ hasNotText: 'Product saved' })).toHaveCount(0)
  await page.goBack()
  await expect(page).toHaveURL(/\?status=skipped_by_policy$/)
  await expect(page.getByLabel('Event')).toHaveValue('')
  await page.goto('/dashboard/sync?status=failed&event=creditmemo.created')
  await expect(page.getByText('No matching runs')).toBeVisible()
  await page.getByRole('link', { name: 'Show all runs' }).click()
  await expect(runs(page)).not.toHaveCount(0)
})

test('an address that makes no sense says so', async ({ page }) => {
  await signIn(page)
  const seen: string[] = []
  page.on('response', (answer) => seen.push(`${answer.status()} ${new URL(answer.url()).pathname}`))
  // Told in the page: the browser itself complains about nothing.
  await page.getByRole('link', { name: 'All', exact: true }).click()
  await expect(page.getByRole('alert')).toHaveCount(0)
  const answer = await page.request.get('/dashboard/sync?status=borked')
  expect(answer.status()).toBe(422)
  expect(await answer.text()).toContain('are not valid')
})

test('pages lead to older runs and back', async ({ page }) => {
  await signIn(page)
  for (let count = await runs(page).count(); count < 25; count += 1) await saveCustomer()
  await saveCustomer()
  await saveCustomer()
  await settled(page)
  await expect(runs(page)).toHaveCount(25)
  const newest = await runs(page).first().locator('.run-number').textContent()
  await page.getByRole('link', { name: 'Older' }).click()
  await expect(page).toHaveURL(/\?after=[0-9a-f-]{36}$/)
  await expect(page.getByRole('link', { name: 'Older' })).toHaveCount(0)
  await expect(runs(page)).not.toHaveCount(25)
  await page.getByRole('link', { name: 'Newer' }).click()
  await expect(page).toHaveURL(/\?before=[0-9a-f-]{36}$/)
  await expect(runs(page)).toHaveCount(25)
  await page.getByRole('link', { name: 'Newest' }).click()
  await expect(page).toHaveURL(/\/dashboard\/sync$/)
  await expect(runs(page).first().locator('.run-number')).toHaveText(newest ?? '')
})

test('a run is retried and the page stays where it is', async ({ page }) => {
  await signIn(page, '/dashboard/sync?event=invoice.created')
  await settled(page)
  const row = run(page, '000000001', 'Invoice created')
  const reference = await row.locator('.run-sage').textContent()
  await row.getByRole('button', { name: /^Retry 000000001/ }).click()
  await expect(page.getByRole('status').filter({ hasText: 'The run is queued again.' })).toBeVisible()
  await expect(page).toHaveURL(/\/dashboard\/sync\?event=invoice\.created(&flash=retried)?$/)
  await settled(page)
  // Never a second document: the same one is found again.
  await expect(row).toHaveAttribute('data-status', 'succeeded')
  await expect(row.locator('.run-sage')).toHaveText(reference ?? '')
})

test('refresh shows the page again', async ({ page }) => {
  await signIn(page, '/dashboard/sync?event=customer.upserted')
  await page.getByRole('link', { name: 'Refresh' }).click()
  await expect(page).toHaveURL(/\?event=customer\.upserted$/)
  await ready(page)
})

test('an unknown address has a page of its own', async ({ page }) => {
  const answer = await page.request.get('/dashboard/nothing-here')
  expect(answer.status()).toBe(404)
  expect(await answer.text()).toContain('Page not found')
})
