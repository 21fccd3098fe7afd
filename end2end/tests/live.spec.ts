import { expect, ready, runs, saveCustomer, settled, signIn, test } from './support'

test.describe('live @js', () => {
  test.beforeEach(async ({ page }) => {
    await signIn(page)
    await settled(page)
    await page.mouse.move(0, 0)
  })

  test('a new run appears within a second', async ({ page }) => {
    const newest = await runs(page).first().locator('button[name="run_id"]').getAttribute('value')
    await saveCustomer()
    await expect(runs(page).first().locator('button[name="run_id"]')).not.toHaveAttribute('value', newest ?? '', { timeout: 1_000 })
  })

  test('nothing moves under the pointer', async ({ page }) => {
    const row = runs(page).nth(2)
    const id = await row.locator('button[name="run_id"]').getAttribute('value')
    await row.locator('.run-number').hover()
    await saveCustomer()
    await expect(page.locator('.waiting')).toContainText('new run')
    await expect(row.locator('button[name="run_id"]')).toHaveAttribute('value', id ?? '')
    await page.mouse.move(0, 0)
    await expect(page.locator('.waiting')).toBeHidden()
    await expect(row.locator('button[name="run_id"]')).not.toHaveAttribute('value', id ?? '')
  })

  test('the focus stays on its row while others arrive', async ({ page }) => {
    const button = runs(page).nth(1).locator('button[name="run_id"]')
    const id = await button.getAttribute('value')
    await button.focus()
    await saveCustomer()
    await expect(runs(page).nth(1).locator('button[name="run_id"]')).not.toHaveAttribute('value', id ?? '')
    await expect(page.locator(`button[value="${id}"]`)).toBeFocused()
  })

  test('a paused page waits, and catches up', async ({ page }) => {
    const newest = await runs(page).first().locator('button[name="run_id"]').getAttribute('value')
    await page.getByRole('button', { name: 'Pause' }).click()
    await expect(page.locator('.live')).toContainText('Paused')
    await saveCustomer()
    await page.waitForTimeout(1_500)
    await expect(runs(page).first().locator('button[name="run_id"]')).toHaveAttribute('value', newest ?? '')
    await page.getByRole('button', { name: 'Pause' }).click()
    await ready(page)
    await expect(runs(page).first().locator('button[name="run_id"]')).not.toHaveAttribute('value', newest ?? '')
  })
})
