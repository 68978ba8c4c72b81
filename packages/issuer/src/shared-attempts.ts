type Outcome<Result> = { readonly value: Result } | { readonly error: unknown }

/** Seconds for a few operations of the store. Where they take longer, they are done twice, which changes nothing. */
export const STORE_PATIENCE = 2

/**
 * Attempts that are shared: one at a time for each key, however many need its outcome.
 *
 * Where each request has I/O of its own (Workers), an attempt ends with the request that began it, and its promise is
 * rejected by the runtime, or never settles. Then one of those who wait makes an attempt of its own: it is they who clear up.
 */
export class SharedAttempts<Result> {
  readonly #longest: number
  readonly #underWay = new Map<string, Promise<Outcome<Result>>>()

  /** @param longest seconds in which every attempt ends by itself */
  constructor(longest: number) {
    this.#longest = longest
  }

  /** Joins the attempt that is under way, or makes one. */
  async run(attempt: () => Promise<Result>, key = ''): Promise<Result> {
    for (;;) {
      const shared = this.#underWay.get(key) ?? outcomeOf(attempt())
      this.#underWay.set(key, shared)
      const outcome = await unlessDead(shared, this.#longest)
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

/**
 * Undefined for what does not settle in some seconds, and for what never rejects and was rejected by the runtime. Without a
 * timer of its own, a request that waits for what is dead would count as hung, and be ended too.
 */
async function unlessDead<Result>(shared: Promise<Result>, seconds: number): Promise<Result | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const timeout = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), seconds * 1000)
  })
  try {
    return await Promise.race([shared, timeout])
  } catch {
    return undefined
  } finally {
    clearTimeout(timer)
  }
}
