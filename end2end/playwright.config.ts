import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineConfig } from '@playwright/test'

// A demo that runs already says so with LEDGER_INFO, the file that `ledger demo --info-file` wrote; otherwise one is started.
const running = process.env.LEDGER_INFO
const port = Number(process.env.LEDGER_PORT ?? 3987)
process.env.LEDGER_INFO ??= join(tmpdir(), `ledger-end2end-${port}.json`)

export default defineConfig({
  testDir: 'tests',
  // One demo, one shop, one list: the tests take turns.
  workers: 1,
  fullyParallel: false,
  forbidOnly: Boolean(process.env.CI),
  timeout: 30_000,
  expect: { timeout: 5_000 },
  reporter: [['list']],
  use: {
    baseURL: running ? undefined : `http://127.0.0.1:${port}`,
    viewport: { width: 1280, height: 900 },
    locale: 'en-GB',
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? process.env.LEDGER_CHROMIUM ?? '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--no-first-run',
      ],
    },
  },
  projects: [
    { name: 'js' },
    // The same journeys without JavaScript; what needs it is tagged.
    { name: 'no-js', use: { javaScriptEnabled: false }, grepInvert: /@js/ },
  ],
  webServer: running
    ? undefined
    : {
        command: `../target/release/ledger demo --port ${port} --info-file ${process.env.LEDGER_INFO}`,
        url: `http://127.0.0.1:${port}/sign-in`,
        timeout: 60_000,
        stdout: 'pipe',
        gracefulShutdown: { signal: 'SIGTERM', timeout: 5_000 },
      },
})
