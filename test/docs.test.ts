import { readFileSync, writeFileSync } from 'node:fs'
import { DEFAULTS, REFUSALS, UNAVAILABLE } from '@sharkguard/core'
import { expect, it } from 'vitest'

const path = (name: string) => new URL(`../${name}`, import.meta.url)

/** The operations manual of refusals, from the one table that decides them. */
function refusalTable(): string {
  const rows = [
    ...Object.entries(REFUSALS).map(([reason, { status, error, description }]) =>
      [reason, status, error ? `\`${error}\`` : '–', description].join(' | '),
    ),
    ...Object.entries(UNAVAILABLE).map(([reason, { status, description }]) =>
      [reason, status, '`Retry-After`', description].join(' | '),
    ),
  ]
  return [
    '# Refusals',
    '',
    'What `onDecision` calls it, what goes over the wire. Generated from `packages/core/src/refusal.ts`; to renew it, run',
    '`UPDATE_DOCS=1 npx pnpm test`.',
    '',
    '| reason | status | error | text |',
    '|---|---|---|---|',
    ...rows.map((row) => `| ${row} |`),
    '',
  ].join('\n')
}

it('the table of refusals in the docs is the one in the code', () => {
  if (process.env.UPDATE_DOCS) writeFileSync(path('docs/refusals.md'), refusalTable())
  expect(readFileSync(path('docs/refusals.md'), 'utf8')).toBe(refusalTable())
})

it('the README of core names the defaults that hold', () => {
  const readme = readFileSync(path('packages/core/README.md'), 'utf8')
  for (const option of ['proofMaxAge', 'clockTolerance', 'nonce'] as const) {
    expect(readme).toContain(`| \`${option}\` | \`${DEFAULTS[option]}\` |`)
  }
  expect(readme).toContain(`| \`dpop\` | \`'${DEFAULTS.dpop}'\` |`)
  expect(readme).toContain(`| \`revocation\` | \`'${DEFAULTS.revocation}'\` |`)
})
