// Pages wake up without a word in Firefox's console, however often they are loaded. HYDRATION_LOADS=2500 by hand.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { live, open, page } from './support.mjs'

const LOADS = Number(process.env.HYDRATION_LOADS ?? 60)
/** Pages with what must be there once they are awake. */
const PAGES = [
  ['/dashboard', '.live[data-line="open"]'],
  ['/dashboard/sync', '#history[data-awake]'],
  ['/dashboard/sync/causes', '.live[data-line="open"]'],
]

test(`${LOADS} loads of hydrated pages`, async () => {
  await open('/dashboard/sync')
  await live()
  const settings = await page.evaluate(async () => {
    const shops = await (await fetch('/dashboard/bindings')).text()
    return new DOMParser().parseFromString(shops, 'text/html').querySelector('main a[href^="/dashboard/bindings/"]').getAttribute('href')
  })
  const pages = [...PAGES, [`${settings}/settings`, '#settings[data-watched]']]
  for (let count = 0; count < LOADS; count += 1) {
    const [path, awake] = pages[count % pages.length]
    await open(path)
    // None is left before: Firefox breaks off what is on its way, and says so.
    await page.waitForSelector(awake)
  }
  assert.ok(await page.$('h1'))
})
