/** Milliseconds that a revoking call waits for guards, at most. */
const PATIENCE = 1000
/** Milliseconds after its last answer for which a guard is expected back. */
const EXPECTED = 2000
/** Guards that are waited for; any beyond learn as fast, but nobody waits. */
const MAX_FOLLOWERS = 10_000
const NAME = /^[\w-]{16,64}$/

interface Follower {
  /** The newest rule that it has, by its own word. */
  since: number
  /** Requests of it that have not been answered. */
  asking: number
  /** When the last of them was answered, by the monotonic clock. */
  answeredAt: number
}

interface Waiting {
  readonly seq: number
  readonly missing: Set<string>
  done(): void
}

/**
 * Guards that follow the revocation list at this instance. Each comes back with the number of the newest rule that it has
 * applied; so a revoking call can be answered when all who are there have come back with the new one. Names are random and
 * known to nobody else: only a guard itself can say what it has. Whoever makes up a name and never comes back
 * delays a revoking call by a second, and no revocation.
 */
export class Followers {
  readonly #followers = new Map<string, Follower>()
  readonly #waiting = new Set<Waiting>()

  /**
   * A guard asks for what is newer than `since`.
   * @returns what to call when it has been answered, or, with `true`, has gone away
   */
  arrive(name: string | null, since: number): (gone: boolean) => void {
    if (name === null || !NAME.test(name)) return () => undefined
    const follower = this.#follow(name)
    if (follower === undefined) return () => undefined
    follower.since = since
    follower.asking++
    for (const waiting of this.#waiting) if (since >= waiting.seq) this.#strike(waiting, name)
    return (gone) => {
      follower.asking--
      follower.answeredAt = performance.now()
      if (gone && follower.asking === 0) this.#forget(name)
    }
  }

  /** Resolves when every guard that is there now has this rule, and in any case after a second. Never rejects. */
  async haveSeen(seq: number): Promise<void> {
    const missing = new Set<string>()
    for (const [name, follower] of this.#followers) {
      if (!isExpected(follower)) this.#followers.delete(name)
      else if (follower.since < seq) missing.add(name)
    }
    if (missing.size === 0) return
    await new Promise<void>((resolve) => {
      const waiting = { seq, missing, done: () => finish() }
      const timer = setTimeout(() => finish(), PATIENCE)
      const finish = () => {
        clearTimeout(timer)
        this.#waiting.delete(waiting)
        resolve()
      }
      this.#waiting.add(waiting)
    })
  }

  #follow(name: string): Follower | undefined {
    const known = this.#followers.get(name)
    if (known !== undefined) return known
    if (this.#followers.size >= MAX_FOLLOWERS) {
      for (const [old, follower] of this.#followers) if (!isExpected(follower)) this.#followers.delete(old)
      if (this.#followers.size >= MAX_FOLLOWERS) return undefined
    }
    const follower = { since: 0, asking: 0, answeredAt: 0 }
    this.#followers.set(name, follower)
    return follower
  }

  #forget(name: string): void {
    this.#followers.delete(name)
    for (const waiting of this.#waiting) this.#strike(waiting, name)
  }

  #strike(waiting: Waiting, name: string): void {
    if (waiting.missing.delete(name) && waiting.missing.size === 0) waiting.done()
  }
}

function isExpected({ asking, answeredAt }: Follower): boolean {
  return asking > 0 || performance.now() - answeredAt < EXPECTED
}
