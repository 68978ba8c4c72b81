import { setTimeout as sleep } from 'node:timers/promises'
import { Unavailable, type UnavailableReason } from '@sharkguard/core'
import { type RedisReplayStore, redisReplayStore } from '@sharkguard/redis'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { expect, vi } from 'vitest'
import { keyOf } from '../contracts/replay-store.ts'

/** Of a guard with `clockTolerance: 1`: honest proofs pass again so many seconds after a failover. */
const LIFE = 62
const WINDOW = 63

type Outcome = 'fresh' | 'replayed' | UnavailableReason

/** Two instances of one service, one with each library. */
export async function openStores(url: string) {
  const ioredis = new Redis(url, { retryStrategy: () => 100, maxRetriesPerRequest: null })
  const nodeRedis = createClient({ url, socket: { reconnectStrategy: 100 } })
  for (const client of [ioredis, nodeRedis]) client.on('error', () => {})
  await nodeRedis.connect()
  const stores = [ioredis, nodeRedis].map((client) =>
    redisReplayStore(client, { window: WINDOW, deadlineMs: 200 }),
  )
  await Promise.all(stores.map((store) => store.ready()))
  return {
    stores,
    close() {
      for (const store of stores) store.close()
      ioredis.disconnect()
      nodeRedis.destroy()
    },
  }
}

/**
 * Agents and an eavesdropper at once, at both instances, until it is stopped: each proof is made once, and comes again and
 * again in the midst of the others.
 */
export class Load {
  readonly #proofs: { readonly key: string; readonly expiresAt: number }[] = []
  readonly #accepted = new Map<string, number>()
  readonly #recent: Outcome[][]
  readonly #defects: unknown[] = []
  #running = true
  readonly #ended: Promise<unknown>

  constructor(stores: readonly RedisReplayStore[]) {
    this.#recent = stores.map(() => [])
    const lines = stores.flatMap((store, index) => Array.from({ length: 10 }, () => this.#run(store, index)))
    this.#ended = Promise.all(lines)
  }

  async #run(store: RedisReplayStore, index: number): Promise<void> {
    while (this.#running) {
      const { key, expiresAt } = this.#next()
      const outcome = await this.#claim(store, key, expiresAt)
      if (outcome !== undefined) this.#recent[index]?.push(outcome)
      await sleep(1)
    }
  }

  #next() {
    const old = this.#proofs[Math.floor(Math.random() * this.#proofs.length)]
    if (old !== undefined && Math.random() < 0.7) return old
    const now = Date.now() / 1000
    const made = { key: keyOf(`${this.#proofs.length} ${now}`), expiresAt: Math.floor(now) + LIFE }
    this.#proofs.push(made)
    return made
  }

  async #claim(store: RedisReplayStore, key: string, expiresAt: number): Promise<Outcome | undefined> {
    try {
      const verdict = await store.claim(key, expiresAt)
      if (verdict === 'fresh') this.#accepted.set(key, (this.#accepted.get(key) ?? 0) + 1)
      return verdict
    } catch (error) {
      if (error instanceof Unavailable && error.retryAfter >= 1) return error.reason
      this.#defects.push(error)
      return undefined
    }
  }

  /** From now on, at every instance, proofs are accepted. */
  async runs(): Promise<void> {
    for (const recent of this.#recent) recent.length = 0
    await vi.waitFor(
      () => {
        for (const recent of this.#recent)
          expect(recent.filter((seen) => seen === 'fresh').length).toBeGreaterThan(20)
      },
      { timeout: 60_000, interval: 50 },
    )
  }

  /** From now on, at every instance, nothing is known: many claims in a row, each answered all the same. */
  async stands(reason: UnavailableReason): Promise<void> {
    await vi.waitFor(
      () => {
        for (const recent of this.#recent) {
          expect(recent.length).toBeGreaterThan(50)
          expect(new Set(recent.splice(0))).toEqual(new Set([reason]))
        }
      },
      { timeout: 60_000, interval: 100 },
    )
  }

  /** Ends it. What must hold: no proof was accepted twice, and nothing was thrown but that it cannot be known. */
  async end(): Promise<void> {
    this.#running = false
    await this.#ended
    expect(this.#defects).toEqual([])
    expect([...this.#accepted.values()].filter((times) => times > 1)).toEqual([])
    expect(this.#accepted.size).toBeGreaterThan(40)
  }
}
