import { randomUUID } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { OAuthVerifier } from '@atproto/oauth-provider/verifier'
import { memoryReplayStore } from '@sharkguard/core'
import { createInMemoryDpopReplayStore } from 'better-auth/oauth2'
import { type Lane, quantile, race, ratios, type Spread, single, spread } from '../measure.ts'
import type { Row, Scenario } from '../scenario.ts'

/** A proof as a store is asked about it: what the store wants as its key is made before the clock starts. */
export interface Claim {
  /** 43 characters, as the guard makes them of resource, `jkt` and `jti`. */
  readonly key: string
  readonly jkt: string
  readonly expiresAt: number
}

/** A store in memory that keeps used proofs. */
interface Keeper {
  readonly name: string
  /** Whether the proof is new. */
  claim(claim: Claim): boolean | Promise<boolean>
  /** Lets its clock go on by a minute. */
  readonly passMinute: () => void
}

const OURS = 'sharkguard, memory'
const LIFE = 71
const CLIENTS = 1000
const gc = (() => {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
})()

/** Claims per second and bytes per entry at several sizes, and what the slowest claim waits for. */
export const replay: Scenario = {
  name: 'replay',
  title: 'Replay stores in memory: claims of new proofs beside many that are remembered',
  async run(settings) {
    const quick = settings.rounds < 10
    const rows: Row[] = []
    for (const entries of quick ? [10_000, 1_000_000] : [10_000, 1_000_000, 5_000_000]) {
      const work = `one claim beside ${entries.toLocaleString('en')}`
      const keepers: Keeper[] = []
      const sizes = new Map<string, Spread>()
      for (const make of [ours(entries), betterAuth, atproto]) {
        const before = used()
        const keeper = make()
        await fill(keeper, entries)
        const bytes = (used() - before) / entries
        keepers.push(keeper)
        sizes.set(keeper.name, single(bytes))
      }
      const lanes = keepers.map(
        (keeper): Lane<readonly Claim[]> => ({
          name: keeper.name,
          accepts: true,
          checks: (batch) => batch.map((claim) => () => keeper.claim(claim)),
        }),
      )
      const samples = await race({ ...settings, lanes, batch: () => claims(settings.batch * 10) })
      const base = samples.get(OURS) ?? []
      for (const [contender, of] of samples) {
        const { wall, cpu } = ratios(of, base)
        const micros = spread(of.map(({ wall }) => wall))
        const bytes = sizes.get(contender) ?? single(Number.NaN)
        const figures = {
          [`wall, × ${OURS}`]: wall,
          [`CPU, × ${OURS}`]: cpu,
          µs: micros,
          'bytes an entry': bytes,
        }
        rows.push({ work, contender, figures })
      }
      if (entries === 1_000_000) for (const keeper of keepers) rows.push(...(await slowest(keeper)))
    }
    rows.push(...(await whileFull(quick ? 200_000 : 1_000_000)))
    return {
      rows,
      notes: [
        'better-auth and atproto keep no bound: they have no full store, and take what they are sent',
        'atproto keys on the jti alone: here it is a UUID, as its own client sends',
      ],
    }
  },
}

export function claims(count: number, life = LIFE): Claim[] {
  const expiresAt = Math.floor(Date.now() / 1000) + life
  return Array.from({ length: count }, (_, i) => ({ key: newKey(), jkt: jktOf(i), expiresAt }))
}

/** As long as SHA-256 in base64url, and as a parser hands it over: flat. */
function newKey(): string {
  return Buffer.from(`${randomUUID()}${randomUUID().slice(0, 7)}`, 'latin1').toString('latin1')
}

const jktOf = (client: number) => `client ${client % CLIENTS}`.padEnd(43, 'x')

async function fill(keeper: Keeper, entries: number): Promise<void> {
  for (let done = 0; done < entries; done += 10_000) {
    for (const claim of claims(Math.min(10_000, entries - done), 10_000)) await keeper.claim(claim)
  }
}

/** One claim at a time, as soon as a minute has passed, several times: who sweeps does it then. */
async function slowest(keeper: Keeper): Promise<Row[]> {
  const worst: number[] = []
  for (let minute = 0; minute < 5; minute++) {
    keeper.passMinute()
    const lengths: number[] = []
    for (const claim of claims(100, 10_000)) {
      const start = performance.now()
      await keeper.claim(claim)
      lengths.push((performance.now() - start) * 1000)
    }
    worst.push(Math.max(...lengths))
  }
  const work = 'the slowest of 100 claims once a minute has passed, beside 1,000,000'
  return [{ work, contender: keeper.name, figures: { µs: spread(worst) } }]
}

/** Single claims beside the flood that keeps the store full, and beside none. */
async function whileFull(maxEntries: number): Promise<Row[]> {
  const rows: Row[] = []
  for (const [work, share] of [
    ['a full store, flooded on', 1],
    ['the same store, a tenth full', 0.1],
  ] as const) {
    let now = Math.floor(Date.now() / 1000)
    const store = memoryReplayStore({ maxEntries, quota: 1, clock: () => now })
    const lengths: number[] = []
    const perSecond = Math.ceil((maxEntries * share) / LIFE) * (share === 1 ? 2 : 1)
    for (let second = 0; second < 2 * LIFE; second++, now++) {
      for (const { key, jkt } of claims(perSecond)) {
        const start = performance.now()
        try {
          store.claim(key, now + LIFE, jkt)
        } catch {
          // Refused: what was to be measured.
        }
        if (second >= LIFE) lengths.push((performance.now() - start) * 1000)
      }
    }
    lengths.sort((a, b) => a - b)
    const at = (q: number) => single(quantile(lengths, q))
    rows.push({
      work,
      contender: OURS,
      figures: { 'p50, µs': at(0.5), 'p99, µs': at(0.99), 'p99.99, µs': at(0.9999) },
    })
  }
  return rows
}

function used(): number {
  // What a collection has found is only given back by the next.
  for (let times = 0; times < 3; times++) gc()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

function ours(entries: number): () => Keeper {
  return () => {
    let ahead = 0
    const clock = () => Date.now() / 1000 + ahead
    const store = memoryReplayStore({ maxEntries: entries + 1_000_000, clock })
    return {
      name: OURS,
      claim: ({ key, expiresAt, jkt }) => store.claim(key, expiresAt, jkt) === 'fresh',
      passMinute: () => {
        ahead += 61
      },
    }
  }
}

function betterAuth(): Keeper {
  let ahead = 0
  const store = createInMemoryDpopReplayStore()
  return {
    name: 'better-auth',
    claim: ({ key, expiresAt }) =>
      store.reserve({
        key,
        expiresAt: new Date(expiresAt * 1000),
        now: new Date(Date.now() + ahead),
      } as Parameters<typeof store.reserve>[0]),
    passMinute: () => {
      ahead += 61_000
    },
  }
}

function atproto(): Keeper {
  const keyset: never[] = []
  const { replayManager } = new OAuthVerifier({ issuer: 'https://issuer.example', keyset, dpopSecret: false })
  return {
    name: 'atproto',
    claim: ({ key }) => replayManager.uniqueDpop(key.slice(0, 36)),
    // It has no clock but the system's; what it looks at is when it last swept.
    passMinute: () => {
      const { replayStore } = replayManager as unknown as { replayStore: { lastCleanup: number } }
      replayStore.lastCleanup -= 61_000
    },
  }
}
