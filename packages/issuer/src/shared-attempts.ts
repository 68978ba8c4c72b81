type Outcome<Result> = { readonly value: Result } | { readonly error: unknown }

/**
 * Attempts that are shared: one at a time for each key, however many need its outcome.
 *
 * Where each request has I/O of its own (Workers), an attempt ends with the request that began it, and the runtime rejects
 * its promise: then one of those who wait makes an attempt of its own. So it is they who clear up, not the attempt.
 */
export class SharedAttempts<Result> {
  readonly #underWay = new Map<string, Promise<Outcome<Result>>>()

  /** Joins the attempt that is under way, or makes one. */
  async run(attempt: () => Promise<Result>, key = ''): Promise<Result> {
    for (;;) {
      const shared = this.#underWay.get(key) ?? outcomeOf(attempt())
      this.#underWay.set(key, shared)
      // What never rejects was rejected by the runtime: it is dead.
      const outcome = await shared.catch(() => undefined)
      if (this.#underWay.get(key) === shared) this.#underWay.delete(key)
      if (outcome === undefined) continue
      if ('error' in outcome) throw outcome.error
      return outcome.value
    }
  }
}

/** Never rejects. */
function outcomeOf<Result>(attempt: Promise<Result>): Promise<Outcome<Result>> {
  return attempt.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )
}
