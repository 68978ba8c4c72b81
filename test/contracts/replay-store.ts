import { createHash } from 'node:crypto'
import { type ReplayStore, type ReplayVerdict, Unavailable } from '@sharkguard/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

/** A store to test, with a clock that the test can move and that may otherwise run. */
export interface ReplayStoreUnderTest {
  readonly store: ReplayStore
  /** Seconds since the epoch, as the store sees them. */
  now(): number
  /** Moves the clock, back if negative. */
  pass(seconds: number): Promise<void> | void
  close(): Promise<void> | void
}

const JKT = 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs'
const OTHER_JKT = '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I'
/** What the guard's defaults give: `proofMaxAge + clockTolerance + 1`. */
const LIFE = 71

export function keyOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}

/** The verdict, or `'unavailable'` when the store says that it cannot know. Anything else it throws is a defect. */
export async function claimOf(
  store: ReplayStore,
  key: string,
  expiresAt: number,
  jkt = JKT,
): Promise<ReplayVerdict | 'unavailable'> {
  try {
    return await store.claim(key, expiresAt, jkt)
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error
    expect(error.reason).toMatch(/^replay_/)
    expect(error.retryAfter).toBeGreaterThan(0)
    expect(error.retryAfter).toBeLessThan(1000)
    return 'unavailable'
  }
}

/** What every replay store must do: the contract of `ReplayStore`. */
export function describeReplayStore(
  name: string,
  open: () => Promise<ReplayStoreUnderTest>,
  rounds = 100,
): void {
  describe(`${name} keeps the contract of a replay store:`, () => {
    let subject: ReplayStoreUnderTest
    let store: ReplayStore
    const expiry = () => Math.floor(subject.now()) + LIFE

    beforeEach(async () => {
      subject = await open()
      store = subject.store
    })
    afterEach(() => subject.close())

    it('a key is fresh once and replayed from then on', async () => {
      const at = expiry()
      expect(await claimOf(store, keyOf('a'), at)).toBe('fresh')
      for (let copy = 0; copy < 5; copy++) expect(await claimOf(store, keyOf('a'), at)).toBe('replayed')
    })

    it('the key is the identity: neither another expiry nor another jkt makes it fresh', async () => {
      const at = expiry()
      expect(await claimOf(store, keyOf('a'), at)).toBe('fresh')
      expect(await claimOf(store, keyOf('a'), at + 5)).toBe('replayed')
      expect(await claimOf(store, keyOf('a'), at, OTHER_JKT)).toBe('replayed')
    })

    it('keys that differ in one character are different keys', async () => {
      const at = expiry()
      const key = keyOf('a')
      for (let index = 0; index < key.length; index++) {
        const other = `${key.slice(0, index)}${key[index] === 'x' ? 'y' : 'x'}${key.slice(index + 1)}`
        expect(await claimOf(store, other, at)).toBe('fresh')
      }
      expect(await claimOf(store, key, at)).toBe('fresh')
      const swapped = key.replace(/[a-z]/gi, (c) => (c < 'a' ? c.toLowerCase() : c.toUpperCase()))
      expect(await claimOf(store, swapped, at)).toBe('fresh')
    })

    it(`of 100 concurrent copies exactly one is fresh, in each of ${rounds} rounds`, async () => {
      for (let round = 0; round < rounds; round++) {
        const at = expiry()
        const key = keyOf(`round ${round}`)
        const verdicts = await Promise.all(Array.from({ length: 100 }, () => claimOf(store, key, at)))
        expect(verdicts.filter((verdict) => verdict === 'fresh')).toHaveLength(1)
        expect(verdicts.filter((verdict) => verdict === 'replayed')).toHaveLength(99)
      }
    })

    it('a used proof is replayed until its last second, and never fresh after it', async () => {
      const at = expiry()
      expect(await claimOf(store, keyOf('a'), at)).toBe('fresh')
      while (subject.now() + 1 < at) {
        expect(await claimOf(store, keyOf('a'), at)).toBe('replayed')
        await subject.pass(1)
      }
      for (let late = 0; late < 30; late++) {
        expect(await claimOf(store, keyOf('a'), at)).not.toBe('fresh')
        await subject.pass(1)
      }
    })

    it('a clock that is set back resurrects nothing', async () => {
      const used: [string, number][] = []
      for (let second = 0; second < 150; second += 10) {
        const at = expiry()
        used.push([keyOf(`at ${second}`), at])
        expect(await claimOf(store, keyOf(`at ${second}`), at)).toBe('fresh')
        await subject.pass(10)
      }
      for (const back of [-1, -30, -60, -60]) {
        await subject.pass(back)
        for (const [key, at] of used) expect(await claimOf(store, key, at)).not.toBe('fresh')
      }
    })

    it('a proof that has expired, or expires at no time at all, is never fresh', async () => {
      const now = Math.floor(subject.now())
      for (const at of [
        now,
        now - 1,
        0,
        -1,
        Number.NaN,
        Number.POSITIVE_INFINITY,
        Number.NEGATIVE_INFINITY,
      ]) {
        for (let copy = 0; copy < 2; copy++) expect(await claimOf(store, keyOf('a'), at)).toBe('unavailable')
      }
      expect(await claimOf(store, keyOf('a'), expiry())).toBe('fresh')
    })

    it('the shortest life is long enough to see the copy', async () => {
      const at = subject.now() + 2.3
      expect(await claimOf(store, keyOf('a'), at)).toBe('fresh')
      expect(await claimOf(store, keyOf('a'), at)).toBe('replayed')
    })

    it('proofs of the longest life that a guard can be told are remembered as well', async () => {
      const at = Math.floor(subject.now()) + 901
      expect(await claimOf(store, keyOf('a'), at)).toBe('fresh')
      expect(await claimOf(store, keyOf('a'), at)).toBe('replayed')
    })
  })
}
