import { expect, hasScript, pageOf, ready, run, runs, saveCustomer, settled, signIn, test } from './support'

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
    await expect(row.locator('.run-amount')).toContainText(`£${total}`)
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
  await page.getByRole('link', { name: /^Skipped/ }).click()
  await expect(page).toHaveURL(/\?status=skipped_by_policy$/)
  await expect(runs(page).filter({ hasNotText: 'Skipped' })).toHaveCount(0)
  await page.getByLabel('Event', { exact: true }).selectOption('product.upserted')
  // Where the browser has taken over, a filter asks by itself.
  if (!hasScript()) await page.getByRole('button', { name: 'Apply' }).click()
  await expect(page).toHaveURL(/\?status=skipped_by_policy&event=product\.upserted$/)
  await expect(page.getByLabel('Event', { exact: true })).toHaveValue('product.upserted')
  await expect(runs(page)).not.toHaveCount(0)
  await expect(runs(page).filter({ hasNotText: 'Product saved' })).toHaveCount(0)
  await page.goBack()
  await expect(page).toHaveURL(/\?status=skipped_by_policy$/)
  await expect(page.getByLabel('Event', { exact: true })).toHaveValue('')
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
  await page.getByRole('link', { name: /^All / }).click()
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

test('a failed run is retried in place, and its outcome is said @js', async ({ page }) => {
  await saveCustomer()
  await signIn(page, '/dashboard/sync?event=customer.upserted')
  await settled(page)
  await page.setViewportSize({ width: 1280, height: 400 })
  await page.evaluate(() => window.scrollTo(0, 200))
  const before = await page.evaluate(() => window.scrollY)
  const loads: string[] = []
  page.on('request', (request) => request.resourceType() === 'document' && loads.push(request.url()))
  const row = runs(page).first()
  const number = await row.locator('.run-number').textContent()
  const button = row.getByRole('button', { name: /^Retry/ })
  await button.focus()
  const chip = page.evaluate(
    (id) =>
      new Promise<number>((resolve) => {
        const begun = performance.now()
        const group = document.getElementById(id ?? '')!
        new MutationObserver((_, own) => {
          if (group.dataset.status === 'failed') return
          own.disconnect()
          resolve(performance.now() - begun)
        }).observe(group, { attributes: true })
        document.activeElement?.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true }))
      }),
    await row.getAttribute('id'),
  )
  expect(await chip, 'the chip changes at once').toBeLessThan(100)
  // The customer is not in Magento, so the run fails again, and that is said.
  await expect(page.locator('.toast')).toContainText(`${number} failed again.`)
  await expect(row).toHaveAttribute('data-status', 'failed')
  await expect(button).toBeFocused()
  expect(await page.evaluate(() => window.scrollY)).toBe(before)
  expect(loads).toEqual([])
})

test('what is typed is looked for at once, and Back leads to the list before @js', async ({ page }) => {
  await signIn(page)
  await settled(page)
  const loads: string[] = []
  page.on('request', (request) => request.resourceType() === 'document' && loads.push(request.url()))
  await page.getByRole('searchbox', { name: 'Search' }).pressSequentially('000000001')
  await expect(page).toHaveURL(/\?q=000000001$/)
  await page.getByRole('link', { name: /^Succeeded/ }).click()
  await expect(page).toHaveURL(/q=000000001&status=succeeded$/)
  await page.goBack()
  await expect(page).toHaveURL(/\?q=000000001$/)
  await expect(page.getByRole('link', { name: /^All / })).toHaveAttribute('aria-current', 'true')
  await page.getByLabel('Event', { exact: true }).selectOption('invoice.paid')
  await page.getByRole('link', { name: 'Remove the filter Event: Invoice paid' }).click()
  await expect(page).toHaveURL(/\?q=000000001$/)
  expect(loads).toEqual([])
})

test('runs are chosen and retried together @js', async ({ page }) => {
  for (let count = 0; count < 3; count += 1) await saveCustomer()
  await signIn(page, '/dashboard/sync?event=customer.upserted')
  await settled(page)
  for (const place of [0, 2]) await runs(page).nth(place).getByRole('checkbox').check()
  const bar = page.getByRole('group', { name: 'Selected runs' })
  await expect(bar).toContainText('2 runs selected')
  await page.mouse.move(0, 0)
  await bar.getByRole('button', { name: 'Retry', exact: true }).click()
  await expect(bar).toBeHidden()
  await expect(page.locator('.toast')).toContainText('failed again.')
})

test('a run that is in Sage is retried from its page, and posts nothing twice', async ({ page }) => {
  await signIn(page, '/dashboard/sync?event=invoice.created')
  await settled(page)
  const row = run(page, '000000001', 'Invoice created')
  const reference = await row.locator('.run-sage').textContent()
  await expect(row.getByRole('button', { name: /^Retry/ })).toHaveCount(0)
  await page.goto(await pageOf(row))
  await page.locator('.advice').getByRole('button', { name: 'Retry' }).click()
  await expect(page.getByRole('status').filter({ hasText: 'The run is queued again.' })).toBeVisible()
  await page.goto('/dashboard/sync?event=invoice.created')
  await settled(page)
  // Never a second document: the same one is found again.
  await expect(row).toHaveAttribute('data-status', 'succeeded')
  await expect(row.locator('.run-sage')).toHaveText(reference ?? '')
})

test('refresh shows the page again', async ({ page }) => {
  await signIn(page, '/dashboard/sync?event=customer.upserted')
  // Where the browser has taken over, the list follows by itself.
  if (!hasScript()) await page.getByRole('link', { name: 'Refresh' }).click()
  await expect(page).toHaveURL(/\?event=customer\.upserted$/)
  await ready(page)
})

test('an unknown address has a page of its own', async ({ page }) => {
  const answer = await page.request.get('/dashboard/nothing-here')
  expect(answer.status()).toBe(404)
  expect(await answer.text()).toContain('Page not found')
})
