import { readFileSync, writeFileSync } from 'node:fs'
import { DEFAULTS, REFUSALS, UNAVAILABLE } from '@sharkguard/core'
import { expect, it } from 'vitest'
import { REMEDIES } from './support/remedies.ts'

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
    'What `onDecision` calls it, what goes over the wire, and [what to do about it](#what-to-do). Generated from',
    '`packages/core/src/refusal.ts` and `test/support/remedies.ts`; to renew it, run `UPDATE_DOCS=1 npx pnpm test`.',
    '',
    '| reason | status | error | text |',
    '|---|---|---|---|',
    ...rows.map((row) => `| ${row} |`),
    '',
    '## What to do',
    '',
    'The client is told little, on purpose. `onDecision: console.log`, or a log of yours, has the `reason` and a `detail`, which goes',
    'nowhere else.',
    '',
    '| reason | what is usually behind it |',
    '|---|---|',
    ...Object.entries(REMEDIES).map(([reason, remedy]) => `| ${reason} | ${remedy} |`),
    '',
  ].join('\n')
}

it('the tables of refusals in the docs are those in the code', () => {
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
