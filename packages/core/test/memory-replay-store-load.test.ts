import { createHash } from 'node:crypto'
import { memoryReplayStore, type Unavailable } from '@sharkguard/core'
import { describe, expect, it, vi } from 'vitest'
import { createFingerprint } from '../src/dpop/fingerprint.ts'
import { createQuota } from '../src/dpop/quota.ts'
import { arrayBufferBytes } from './support/array-buffers.ts'

// Seconds on a machine that has nothing else to do.
vi.setConfig({ testTimeout: 120_000 })

const START = 1_800_000_000
const keyOf = (name: string) => createHash('sha256').update(name).digest('base64url')

describe('the fingerprint', () => {
  it('tells structured keys apart, and each half of it is as even as chance', () => {
    const fingerprint = createFingerprint()
    const total = 200_000
    const whole = new Set<string>()
    const halves = [new Set<number>(), new Set<number>()]
    const shards = new Uint32Array(256)
    for (let i = 0; i < total; i++) {
      // Keys an attacker would choose if keys could be chosen: alike but for a counter.
      const { high, low } = fingerprint(String(i).padStart(43, 'A'))
      whole.add(`${high} ${low}`)
      halves[0]?.add(high)
      halves[1]?.add(low)
      shards[high & 255] = (shards[high & 255] as number) + 1
    }
    expect(whole.size).toBe(total)
    // Expected collisions in 32 bits: n² / 2³³ = 4.7; a few multipliers are worse than others. One bit less doubles it, eight make it 1,200.
    for (const half of halves) expect(total - half.size).toBeLessThan(100)
    const mean = total / 256
    expect(Math.max(...shards)).toBeLessThan(mean + 6 * Math.sqrt(mean))
    expect(Math.min(...shards)).toBeGreaterThan(mean - 6 * Math.sqrt(mean))
  })

  it('cannot be foreseen: it is another one in each store', () => {
    const seen = new Set<string>()
    for (let i = 0; i < 1000; i++) {
      const { high, low } = createFingerprint()(keyOf('a'))
      seen.add(`${high} ${low}`)
    }
    expect(seen.size).toBe(1000)
  })
})

describe('the quota', () => {
  it('counts keys apart though it keeps none of them: one flooder among a hundred thousand keys denies nobody', () => {
    const quota = createQuota(1000, createFingerprint())
    const hostile = quota.cellsOf(keyOf('hostile'))
    for (let i = 0; i < 1000; i++) quota.count(hostile, START + 71)
    expect(quota.isExceeded(hostile)).toBe(true)
    let denied = 0
    for (let i = 0; i < 100_000; i++) if (quota.isExceeded(quota.cellsOf(keyOf(`honest ${i}`)))) denied++
    expect(denied).toBe(0)
  })

  it('lets an honest agent make a thousand requests a second beside a hostile key, by default', () => {
    let now = START
    const store = memoryReplayStore({ clock: () => now })
    let claims = 0
    const claim = (jkt: string) => {
      try {
        return store.claim(`${'A'.repeat(35)}${10_000_000 + claims++}`, now + 71, jkt)
      } catch (error) {
        return (error as Unavailable).reason
      }
    }
    const hostile = new Map<string, number>()
    for (let second = 0; second < 150; second++, now++) {
      for (let i = 0; i < 1000; i++) {
        if (claim('honest') !== 'fresh') expect.fail(`refused in second ${second}`)
        for (let copies = 0; copies < 3; copies++) {
          const outcome = claim('hostile')
          hostile.set(outcome, (hostile.get(outcome) ?? 0) + 1)
        }
      }
    }
    expect([...hostile.keys()].sort()).toEqual(['fresh', 'replay_quota_exceeded'])
    // What passes is a quota of 100,000 in each life of 71 seconds.
    expect(hostile.get('fresh')).toBeLessThan(100_000 * (150 / 71 + 1))
    expect(store.size).toBeLessThanOrEqual(71_000 + 100_000)
  })

  it('leaves the honest their room while ten flooders take all of theirs, second after second', () => {
    let now = START
    const store = memoryReplayStore({ maxEntries: 20_000, quota: 0.05, clock: () => now })
    let accepted = 0
    for (let second = 0; second < 100; second++) {
      for (let i = 0; i < 2000; i++) {
        try {
          store.claim(keyOf(`flood ${second} ${i}`), now + 71, `hostile ${i % 10}`)
        } catch {}
      }
      for (let i = 0; i < 10; i++) {
        if (store.claim(keyOf(`honest ${second} ${i}`), now + 71, 'honest') === 'fresh') accepted++
      }
      now++
    }
    expect(accepted).toBe(1000)
    expect(store.floor).toBeLessThanOrEqual(now)
  })
})

describe('memory', () => {
  it('is taken as needed: a new store takes next to none', () => {
    const before = arrayBufferBytes()
    const stores = Array.from({ length: 100 }, () => memoryReplayStore())
    expect((arrayBufferBytes() - before) / stores.length).toBeLessThan(128 * 1024)
    expect(stores[0]?.size).toBe(0)
  })

  it('does not grow with time: ten lives of proofs take what one does', () => {
    let now = START
    const store = memoryReplayStore({ clock: () => now, quota: 1 })
    let claims = 0
    const live = () => {
      for (let second = 0; second < 71; second++, now++) {
        for (let i = 0; i < 500; i++) store.claim(`${'A'.repeat(36)}${1_000_000 + claims++}`, now + 71, 'jkt')
      }
      return store.size
    }
    const sizes = Array.from({ length: 10 }, live)
    expect(new Set(sizes)).toEqual(new Set([71 * 500 - 500]))
  })
})
