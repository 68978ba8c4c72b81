import { type AccessToken, type RevocationFeed, revocationList } from '@sharkguard/core'
import { spread } from '../measure.ts'
import { contextOf, listOf, tokenOf } from './context.ts'
import type { Table } from './table.ts'

const CHECKS = 200_000
const ROUNDS = 15
const KINDS = ['jti', 'gid', 'cid', 'sub', 'jkt'] as const

/** What a decision costs by how many rules there are: with the age of the list, which is looked at each time. */
export async function evaluation(): Promise<Table> {
  const rows: string[][] = []
  for (const [rules, globs] of [
    [0, 0],
    [10_000, 0],
    [10_000, 1000],
    [100_000, 0],
    [400_000, 0],
  ] as const) {
    const feed = revocationList().open(contextOf((url) => listOf(url, () => randomRules(rules, globs))))
    await feed.ready()
    const tokens = Array.from({ length: 1000 }, (_, n) => tokenOf(2_000_000 + n))
    const derived = tokens.map((token) => ({
      ...token,
      actors: [
        { sub: 'a', claims: {} },
        { sub: 'b', claims: {} },
      ],
    }))
    rows.push([
      `${rules.toLocaleString('en')}${globs > 0 ? `, ${globs} of them patterns` : ''}`,
      cost(feed, tokens),
      cost(feed, derived),
    ])
    feed.close()
  }
  return {
    title: 'One decision from memory, ns of CPU (median of 15 rounds of 200,000)',
    head: ['rules', 'a token', 'a token with two actors'],
    rows,
  }
}

function cost(feed: RevocationFeed, tokens: readonly AccessToken[]): string {
  const rounds: number[] = []
  for (let round = -3; round < ROUNDS; round++) {
    const started = process.cpuUsage()
    for (let i = 0; i < CHECKS; i++) {
      if (feed.check(tokens[i % tokens.length] as AccessToken, '') !== 'active') throw new Error('refused')
    }
    const { user, system } = process.cpuUsage(started)
    if (round >= 0) rounds.push(((user + system) * 1000) / CHECKS)
  }
  return spread(rounds).median.toFixed(0)
}

function randomRules(count: number, globs: number): object[] {
  const now = Math.floor(Date.now() / 1000)
  return Array.from({ length: count }, (_, n) =>
    n < globs
      ? { k: 'glob', v: `shark_agent_v${n}_*`, b: now, x: now + 900 }
      : { k: KINDS[n % KINDS.length], v: `value-of-a-rule-${n}`, b: now, x: now + 900 },
  )
}
