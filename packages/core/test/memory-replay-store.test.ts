import { createHash } from 'node:crypto'
import { memoryReplayStore, Unavailable } from '@sharkguard/core'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { arrayBufferBytes } from './support/array-buffers.ts'

// Seconds on a machine that has nothing else to do.
vi.setConfig({ testTimeout: 120_000 })

const keyOf = (name: string | number) => createHash('sha256').update(String(name)).digest('base64url')
const START = 1_800_000_000
/** As long as a hash, and made in no time. */
const numbered = (i: number) => String(i).padStart(43, 'A')

/** A store on a clock of the test's. */
function open(options: { maxEntries?: number; quota?: number; floor?: number } = {}) {
  const time = { now: START }
  const store = memoryReplayStore({ ...options, clock: () => time.now })
  return { time, store }
}

/** `'fresh'`, `'replayed'`, or why nothing can be said. */
function claim(store: ReturnType<typeof open>['store'], key: string, expiresAt: number, jkt = 'jkt'): string {
  try {
    return store.claim(key, expiresAt, jkt)
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error
    expect(error.retryAfter).toBeGreaterThanOrEqual(1)
    return error.reason
  }
}

describe('when it is full', () => {
  it('gives up its oldest, refuses all that is as old from then on, and takes what is younger', () => {
    const { store } = open({ maxEntries: 80, quota: 1 })
    for (let i = 0; i < 80; i++) expect(claim(store, keyOf(i), START + 1 + i)).toBe('fresh')
    expect(claim(store, keyOf('one more'), START + 100)).toBe('fresh')
    expect(store.floor).toBe(START + 10)
    expect(store.size).toBe(71)
    for (let i = 0; i < 10; i++) expect(claim(store, keyOf(i), START + 1 + i)).toBe('replay_store_full')
    for (let i = 10; i < 80; i++) expect(claim(store, keyOf(i), START + 1 + i)).toBe('replayed')
    expect(claim(store, keyOf('as old'), START + 10)).toBe('replay_store_full')
    expect(claim(store, keyOf('younger'), START + 11)).toBe('fresh')
  })

  it('refuses a second that alone is more than it can hold, and recovers with the next', () => {
    const { store, time } = open({ maxEntries: 10, quota: 1 })
    for (let i = 0; i < 10; i++) expect(claim(store, keyOf(i), START + 71)).toBe('fresh')
    expect(claim(store, keyOf(10), START + 71)).toBe('replay_store_full')
    expect(claim(store, keyOf(0), START + 71)).toBe('replay_store_full')
    time.now++
    expect(claim(store, keyOf(11), START + 72)).toBe('fresh')
  })
})

describe('the quota of a key', () => {
  it('holds for one key and leaves the others alone', () => {
    const { store } = open({ maxEntries: 1000, quota: 0.1 })
    for (let i = 0; i < 100; i++) expect(claim(store, keyOf(`a${i}`), START + 71, 'busy')).toBe('fresh')
    expect(claim(store, keyOf('a100'), START + 71, 'busy')).toBe('replay_quota_exceeded')
    for (let i = 0; i < 100; i++) expect(claim(store, keyOf(`b${i}`), START + 71, `other ${i}`)).toBe('fresh')
  })

  it('answers a replay as a replay also beyond it', () => {
    const { store } = open({ maxEntries: 10, quota: 0.1 })
    expect(claim(store, keyOf('first'), START + 71)).toBe('fresh')
    expect(claim(store, keyOf('first'), START + 71)).toBe('replayed')
  })

  it('lets an agent make a thousand requests a second for as long as it likes, by default', () => {
    const { store, time } = open()
    for (let second = 0; second < 150; second++) {
      for (let i = 0; i < 1000; i++) {
        const key = keyOf(`${second} ${i}`)
        if (claim(store, key, time.now + 71, 'busy') !== 'fresh') expect.fail(`refused in second ${second}`)
      }
      time.now++
    }
    expect(store.size).toBe(71_000 - 1000)
  })

  it('comes back as proofs expire', () => {
    const { store, time } = open({ maxEntries: 100, quota: 0.1 })
    for (let i = 0; i < 10; i++) claim(store, keyOf(i), START + 20)
    expect(claim(store, keyOf(10), START + 71)).toBe('replay_quota_exceeded')
    time.now += 40
    expect(claim(store, keyOf(11), time.now + 71)).toBe('fresh')
  })
})

describe('time', () => {
  it('set back resurrects nothing', () => {
    const { store, time } = open()
    expect(claim(store, keyOf('a'), START + 71)).toBe('fresh')
    time.now += 100
    expect(claim(store, keyOf('b'), time.now + 71)).toBe('fresh')
    time.now = START
    expect(claim(store, keyOf('a'), START + 71)).toBe('replay_store_full')
    expect(claim(store, keyOf('b'), START + 171)).toBe('replayed')
  })

  it('before the first claim can be given up by a floor, for a process that follows another', () => {
    const { store, time } = open({ floor: START + 81 })
    expect(claim(store, keyOf('used before'), START + 71)).toBe('replay_store_full')
    time.now += 11
    expect(claim(store, keyOf('made after'), time.now + 71)).toBe('fresh')
  })

  it('past 2038 is like any other', () => {
    const time = 2_300_000_000
    const store = memoryReplayStore({ clock: () => time })
    expect(store.claim(keyOf('a'), time + 71, 'jkt')).toBe('fresh')
    expect(store.claim(keyOf('a'), time + 71, 'jkt')).toBe('replayed')
  })
})

describe('a million proofs', () => {
  it.each([
    ['of many keys', (i: number) => `jkt ${i % 50_000}`, {}],
    ['of one key', () => 'jkt', { quota: 1 }],
  ])('%s: bounded memory, nothing forgotten early, nothing accepted twice', (_title, jktOf, options) => {
    const { store } = open({ maxEntries: 1_000_000, ...options })
    const before = arrayBufferBytes()
    for (let i = 0; i < 1_000_000; i++) {
      if (store.claim(numbered(i), START + 71, jktOf(i)) !== 'fresh') expect.fail(`claim ${i} was refused`)
    }
    const bytes = (arrayBufferBytes() - before) / 1_000_000
    expect(bytes).toBeLessThan(24)
    expect(store.size).toBe(1_000_000)
    expect(store.floor).toBeLessThan(START + 71)
    for (let i = 0; i < 1_000_000; i++) {
      if (store.claim(numbered(i), START + 71, jktOf(i)) !== 'replayed')
        expect.fail(`claim ${i} was forgotten`)
    }
    expect(claim(store, keyOf('beyond'), START + 71)).not.toBe('fresh')
  })

  it('of one hostile key are stopped at its quota', () => {
    const { store } = open({ maxEntries: 20_000 })
    let accepted = 0
    for (let i = 0; i < 10_000; i++)
      if (claim(store, numbered(i), START + 71, 'hostile') === 'fresh') accepted++
    expect(accepted).toBe(2000)
    expect(claim(store, keyOf('honest'), START + 71, 'honest')).toBe('fresh')
  })
})

describe('whatever happens', () => {
  const step = fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({
        kind: fc.constant('proof'),
        id: fc.nat(40),
        age: fc.integer({ min: -10, max: 75 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('pass'), seconds: fc.integer({ min: 0, max: 40 }) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('back'), seconds: fc.integer({ min: 1, max: 200 }) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('flood'), count: fc.integer({ min: 1, max: 40 }) }),
    },
  ) as fc.Arbitrary<{ kind: string; id?: number; age?: number; seconds?: number; count?: number }>

  it('no proof is accepted twice, and none is refused while there is room', () => {
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 20, maxLength: 150, size: 'max' }),
        fc.integer({ min: 8, max: 64 }),
        (steps, maxEntries) => {
          const { store, time } = open({ maxEntries, quota: 1 })
          /** Proofs by identity; a proof's date is fixed once it has been made. */
          const dated = new Map<string, number>()
          const accepted = new Set<string>()
          let floods = 0
          let disturbed = false
          for (const { kind, id = 0, age = 0, seconds = 0, count = 0 } of steps) {
            if (kind === 'pass') time.now += seconds
            if (kind === 'back') {
              time.now -= seconds
              disturbed = true
            }
            if (kind === 'flood') {
              disturbed = true
              for (let i = 0; i < count; i++) claim(store, keyOf(`flood ${floods++}`), time.now + 71)
            }
            if (kind !== 'proof') continue
            const name = `proof ${id}`
            const iat = dated.get(name) ?? time.now - age
            dated.set(name, iat)
            // What the guard checks first: the window of RFC 9449 §4.3 (11).
            if (iat > time.now + 10 || iat + 60 < time.now) continue
            const outcome = claim(store, keyOf(name), iat + 60 + 10 + 1)
            if (outcome === 'fresh') {
              expect(accepted.has(name)).toBe(false)
              accepted.add(name)
            } else if (!disturbed && store.size < maxEntries && store.floor <= time.now) {
              expect(outcome).toBe('replayed')
              expect(accepted.has(name)).toBe(true)
            }
          }
        },
      ),
      { numRuns: 300 },
    )
  })
})

describe('wrong options', () => {
  it.each([{ maxEntries: 0 }, { maxEntries: 1.5 }, { quota: 0 }, { quota: 2 }, { quota: Number.NaN }])(
    '%o',
    (options) => {
      expect(() => memoryReplayStore(options)).toThrow(Object.keys(options)[0])
    },
  )

  it('an unknown one', () => {
    expect(memoryReplayStore({ maxEntries: 5, quota: 1, floor: 0, clock: () => 1 }).size).toBe(0)
    expect(() => memoryReplayStore({ max: 5 } as never)).toThrow('memoryReplayStore.max: unknown option')
  })
})
