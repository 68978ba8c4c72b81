import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const PATH = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'

/** Tests that want a real browser are skipped where there is none, unless CI says that all real parts must be there. */
export const hasChromium = process.env.REQUIRE_REAL_PARTS === '1' || existsSync(PATH)
if (!hasChromium) console.warn(`Skipped: there is no Chromium at ${PATH}`)

export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: PATH,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}
