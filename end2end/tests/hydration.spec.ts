import { expect, signIn, test } from './support'

// By hand: HYDRATION_LOADS=5000 scripts/test-browser hydration.spec.ts
const LOADS = Number(process.env.HYDRATION_LOADS ?? 200)
const PAGES = ['/dashboard/sync', '/dashboard', '/dashboard/sync/causes', '/dashboard/sync?status=failed', '/dashboard/bindings']

test(`${LOADS} loads of hydrated pages say nothing in the console @js`, async ({ page }) => {
  test.setTimeout(60_000 + LOADS * 2_000)
  await signIn(page)
  const network = await page.context().newCDPSession(page)
  for (let load = 0; load < LOADS; load += 1) {
    // A third of them on a slow line.
    const isSlow = load % 3 === 0
    await network.send('Network.emulateNetworkConditions', {
      offline: false,
      latency: isSlow ? 100 : 0,
      downloadThroughput: isSlow ? 500_000 : -1,
      uploadThroughput: -1,
    })
    const path = PAGES[load % PAGES.length]
    await page.goto(path)
    // Some are left before the browser has taken over.
    if (load % 7 === 6) continue
    if (path === '/dashboard/bindings') await expect(page.getByRole('heading', { name: 'Shops' })).toBeVisible()
    // A busy machine and a slow line take their time; what breaks says so in the console.
    else await expect(page.locator('.live[data-line="open"]'), `load ${load} of ${path}`).toBeVisible({ timeout: 20_000 })
  }
})
