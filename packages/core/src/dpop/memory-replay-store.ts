import { requireKnownOptions } from '../known-options.ts'
import { resolveClock } from '../options.ts'
import { ConfigurationError, Unavailable } from '../refusal.ts'
import { createFingerprint } from './fingerprint.ts'
import { FingerprintTable } from './fingerprint-table.ts'
import { createQuota } from './quota.ts'
import type { ReplayStore } from './replay.ts'

/** Limits of a {@link memoryReplayStore}. Durations in seconds. */
export interface MemoryReplayStoreOptions {
  /** Most proofs remembered at once, 16 to 22 bytes each. Default 1,000,000: at most 23 MB, taken as needed. */
  readonly maxEntries?: number
  /**
   * The share of `maxEntries` that proofs of one key may take. Default 0.1: 100,000 live proofs, which is 1,400 requests a
   * second by one agent at the default window. 1: no quota.
   */
  readonly quota?: number
  /**
   * Proofs that expire at or before this second are refused from the start. A process that has just started does not know
   * which proofs the one before it had accepted; `now + proofMaxAge + 2 * clockTolerance + 1` refuses all it could have.
   * Default: none, since that also refuses every honest proof of the first `clockTolerance` seconds. The store that a guard
   * makes itself needs none: in production the guard asks for nonces in those seconds. Nor do `nonce: true` and a shared store.
   */
  readonly floor?: number
  /** Seconds since the epoch. Default: the system's clock. */
  readonly clock?: () => number
}

/** What {@link memoryReplayStore} makes: claims are answered at once, without a promise. */
export interface MemoryReplayStore extends ReplayStore {
  claim(key: string, expiresAt: number, jkt?: string): 'fresh' | 'replayed'
  /** Live entries. */
  readonly size: number
  /** Proofs that expire at or before this second are refused: those of past seconds, and those given up when it was full. */
  readonly floor: number
}

/** When the store is full, it gives up this share of its entries at once, oldest first, by raising the floor. */
const GIVEN_UP = 1 / 8

/**
 * Remembers used proofs in this process, as keyed 64-bit fingerprints. A claim takes the same time however many there are,
 * and nothing sweeps.
 *
 * **Nothing live is ever evicted.** When it is full, the store raises a floor: it gives up its oldest entries, and from
 * then on refuses every proof that old. So a flood costs availability for a moment, never a second acceptance: a proof
 * made after the floor passes. A clock that is set back resurrects nothing either: proofs whose time has been are refused
 * until it has passed again. A restart forgets: see `floor`.
 *
 * Measured at a million live proofs on Node 20: 18 bytes each beside 0.7 MB for the quotas, half a microsecond a claim, and
 * no claim that waits for more than the rebuilding of a 256th of the table.
 *
 * Two different proofs share a fingerprint once in 10¹³ claims at a million entries; the second is then refused as a
 * replay. The other way round cannot happen.
 * @throws ConfigurationError when it is made, for a wrong or unknown option
 * @throws Unavailable `replay_store_full` below the floor, `replay_quota_exceeded` beyond the quota of a key
 */
export function memoryReplayStore(options: MemoryReplayStoreOptions = {}): MemoryReplayStore {
  requireKnownOptions('memoryReplayStore', options, ['maxEntries', 'quota', 'floor', 'clock'])
  const { maxEntries = 1_000_000, quota = 0.1 } = options
  const clock = resolveClock(options.clock)
  if (!Number.isInteger(maxEntries) || maxEntries < 1 || maxEntries > 2 ** 30) {
    throw new ConfigurationError('maxEntries', 'expected an integer from 1 to 2^30')
  }
  if (!(quota > 0 && quota <= 1)) throw new ConfigurationError('quota', 'expected a share above 0, at most 1')
  if (options.floor !== undefined && !Number.isFinite(options.floor)) {
    throw new ConfigurationError('floor', 'expected seconds since the epoch')
  }
  const fingerprint = createFingerprint()
  const table = new FingerprintTable()
  const perKey =
    quota === 1 ? undefined : createQuota(Math.max(1, Math.floor(maxEntries * quota)), fingerprint)
  /** Live entries by the second they expire at: as many seconds as a proof can live. */
  const expiring = new Map<number, number>()
  let size = 0
  let floor = Math.floor(options.floor ?? Number.NEGATIVE_INFINITY)
  let oldest = Number.POSITIVE_INFINITY
  let passed = Number.NaN
  /** What the table counts its 32-bit seconds from: 68 years either way of the first claim. */
  let epoch: number | undefined

  /**
   * Forgets what expires at or before `second`. The floor rises no further than to what was forgotten: a clock that is ahead
   * for a moment must not make the store refuse for as long as it was ahead.
   */
  function forget(second: number): void {
    oldest = Number.POSITIVE_INFINITY
    for (const [expiry, entries] of expiring) {
      if (expiry > second) {
        oldest = Math.min(oldest, expiry)
      } else {
        floor = Math.max(floor, expiry)
        size -= entries
        expiring.delete(expiry)
      }
    }
    perKey?.forget(second)
  }

  /** The floor as the table counts, where 0 is for a slot that was never used. */
  function deadUntil(epoch: number): number {
    return Math.max(0, floor - epoch)
  }

  function pass(now: number): void {
    if (now === passed) return
    passed = now
    forget(now)
  }

  function makeRoom(): void {
    let given = 0
    for (const expiry of [...expiring.keys()].sort((a, b) => a - b)) {
      given += expiring.get(expiry) ?? 0
      if (given < maxEntries * GIVEN_UP) continue
      forget(expiry)
      return
    }
  }

  return {
    claim(key, expiresAt, jkt) {
      const now = Math.floor(clock())
      pass(now)
      epoch ??= now - 2 ** 31
      const second = Math.ceil(expiresAt)
      // Also refuses what is no number: nothing is later than that.
      if (!(second > now && second < epoch + 2 ** 32)) throw new Unavailable('replay_store_full')
      refuseBelow(floor, second)
      const { high, low } = fingerprint(key)
      if (table.has(high, low, deadUntil(epoch))) return 'replayed'
      const cells = jkt === undefined ? undefined : perKey?.cellsOf(jkt)
      if (cells !== undefined && size > 0 && perKey?.isExceeded(cells)) {
        throw new Unavailable('replay_quota_exceeded', { retryAfter: Math.max(1, oldest - now) })
      }
      if (size >= maxEntries) {
        makeRoom()
        refuseBelow(floor, second)
      }
      table.add(high, low, second - epoch, deadUntil(epoch))
      expiring.set(second, (expiring.get(second) ?? 0) + 1)
      if (second < oldest) oldest = second
      size++
      if (cells !== undefined) perKey?.count(cells, second)
      return 'fresh'
    },
    get size() {
      pass(Math.floor(clock()))
      return size
    },
    get floor() {
      return floor
    },
  }
}

function refuseBelow(floor: number, second: number): void {
  if (second <= floor) throw new Unavailable('replay_store_full', { retryAfter: floor - second + 1 })
}
