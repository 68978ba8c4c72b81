/** How many events are let through in a window of time. */
export interface RateLimitOptions {
  /** Seconds. */
  readonly window: number
  /** For one key. */
  readonly perKey: number
  /** For all keys together; also the bound of what is remembered. */
  readonly total: number
}

/**
 * Counts events in fixed windows, for one key and for all. In this process: several instances let through as many times
 * as much.
 */
export class RateLimit {
  readonly #options: RateLimitOptions
  readonly #counts = new Map<string, number>()
  #windowEnd = 0
  #total = 0

  constructor(options: RateLimitOptions) {
    this.#options = options
  }

  /**
   * Counts an event unless it is one too many.
   * @param key `undefined` when nobody knows whose it is: then only the total counts
   * @param now seconds
   * @returns 0 if it is let through; else the seconds until the next window
   */
  take(key: string | undefined, now: number): number {
    const wait = this.wait(key, now)
    if (wait > 0) return wait
    this.#total += 1
    if (key !== undefined) this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
    return 0
  }

  /** The same answer, without counting. */
  wait(key: string | undefined, now: number): number {
    const { window, perKey, total } = this.#options
    if (now >= this.#windowEnd || now < this.#windowEnd - window) {
      this.#counts.clear()
      this.#total = 0
      this.#windowEnd = now + window
    }
    const isSpent = this.#total >= total || (key !== undefined && (this.#counts.get(key) ?? 0) >= perKey)
    return isSpent ? Math.ceil(this.#windowEnd - now) : 0
  }
}
