import type { AccessToken } from '../access-token.ts'
import { fetchText } from '../fetch-json.ts'
import { SLOWEST } from '../keys.ts'
import { requireKnownOptions } from '../known-options.ts'
import { Unavailable } from '../refusal.ts'
import { FRESH, Freshness, STALE } from './freshness.ts'
import { Polling } from './polling.ts'
import { parseRevocationList, type RevocationList } from './revocation-list-claims.ts'
import { RuleSet } from './rule-set.ts'
import type { RevocationContext, RevocationFeed, RevocationSource, RevocationVerdict } from './source.ts'
import { describeProblem, requireAdvertised, requireSeconds, requireUrl } from './source-options.ts'

/** Durations in seconds. */
export interface RevocationListOptions {
  /** Where the list is. Default: `revocation_list_uri` of the issuer's metadata. */
  readonly uri?: string
  /** Seconds, whole, that a request waits at the issuer for a newer rule: 1 to 4. Default 3: state is never over 5 seconds old. */
  readonly wait?: number
}

const TYPE = 'revocation-list+jwt'
/** More than 400,000 rules. */
const MAX_BYTES = 32 * 1024 * 1024
/** Seconds for an answer, beside what it was asked to wait. */
const ANSWER = 5
/** Seconds for all rules at once, and that a decision or `ready()` waits for them. */
const LOAD = 10
const READY = 5
/** Seconds between all rules and all rules, whatever happens in between. */
const RELOAD = 300
/**
 * Seconds between one question and the next, at least. A question that waited longer is followed at once by another, as
 * its `since` tells the issuer that the news has arrived; where news never stops, it comes in batches.
 */
const PACE = 0.02
/** The same where the issuer has nothing to say and says so at once: it would be asked without end. */
const UNHURRIED = 1
/** Seconds between failed attempts: from … to, doubling, less up to half by chance. */
const FIRST_RETRY = 0.25
const LAST_RETRY = 5

/**
 * The issuer's revocation list: a signed JWT with every rule that still matters, then, by long-poll, each new rule as soon
 * as it exists. One connection per guard and issuer, opened by the first token or by `ready()`; decisions are made from
 * memory.
 *
 * A list with a wrong signature, `typ`, `iss`, date, `since`, or with a rule that is not understood, is ignored and
 * reported; it never turns into "nothing is revoked". State up to 5 seconds old decides; up to 60 it decides and is
 * reported; older, or never loaded, is {@link Unavailable}. A token known to be revoked stays so however old the state.
 *
 * **Restarts.** Rules only accumulate, so no list, however old, can take one back; what a replayed list could do is look
 * fresh, and its `iat` prevents that. Therefore a delta whose `seq` goes back is refused, and all rules are asked for; when
 * that list's `seq` is lower too but its `iat` is newer than any seen, the issuer has lost its count: the list is merged into
 * what is known, reported, and followed from there. As a lost count may also have caught up meanwhile, all rules are asked
 * for after any failure, and every 5 minutes.
 *
 * **Acknowledgement.** Each question carries `since`, the newest rule that is known and applied here, and `guard`, a random
 * name of this feed. So an issuer can hold back its answer to a revoking call until the guards that follow it have come
 * back with a `since` that covers it; nobody else can say so in their stead, as nobody else knows the name.
 *
 * **Where nothing runs between requests** (Workers; Lambda, when frozen) the connection is lost. The request that finds state
 * over 5 seconds old, and nobody at it, asks for news without waiting for them, and is decided by the answer, as are
 * all that come meanwhile.
 *
 * Does not hold more than 2 million rules: an issuer that revokes single tokens by the million publishes a status list.
 */
export function revocationList(options: RevocationListOptions = {}): RevocationSource {
  requireKnownOptions('revocationList', options, ['uri', 'wait'])
  const uri = requireUrl('revocationList.uri', options.uri)
  const wait = Math.floor(requireSeconds('revocationList.wait', options.wait ?? 3, 1, 4))
  return { name: 'revocation-list', open: (context) => new RevocationListFeed(context, uri, wait) }
}

class RevocationListFeed implements RevocationFeed {
  readonly #context: RevocationContext
  readonly #uri: string | undefined
  readonly #wait: number
  readonly #rules = new RuleSet()
  readonly #freshness: Freshness
  readonly #polling = new Polling((begun) => this.#turn(begun))
  readonly #listeners = new Set<() => void>()
  /** Tells this feed's questions from those of others. Made when first needed: Workers have no randomness at start-up. */
  #name: string | undefined
  #seq = 0
  /** When all rules are to be asked for, by the clock. */
  #reloadAt = Number.NEGATIVE_INFINITY
  #request = new AbortController()
  #failures = 0
  #problem: unknown
  #reportedStale = false

  constructor(context: RevocationContext, uri: string | undefined, wait: number) {
    this.#context = context
    this.#uri = uri
    this.#wait = wait
    this.#freshness = new Freshness(context.clock)
  }

  check(token: AccessToken): RevocationVerdict | Promise<RevocationVerdict> {
    if (this.#rules.revokes(token)) return 'revoked'
    const age = this.#freshness.age()
    if (age <= FRESH) return 'active'
    if (age <= STALE && !this.#mustRenew()) {
      this.#reportStale(age)
      return 'active'
    }
    return this.#decideLate(token)
  }

  /** Also waits through failed attempts, for issuers that start together with the guard. */
  async ready(): Promise<void> {
    const deadline = performance.now() + READY * 1000
    while (!this.#isKnown()) {
      const left = (deadline - performance.now()) / 1000
      if (left <= 0 || this.#polling.stopped) throw this.#unavailable()
      await this.#polling.afterTurn(left)
    }
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  close(): void {
    this.#polling.stop()
    this.#request.abort()
  }

  /** Waits for an attempt, which it makes where nobody else does, but not for another one after a failure. */
  async #decideLate(token: AccessToken): Promise<RevocationVerdict> {
    if (this.#failures === 0 || this.#polling.stalled) await this.#polling.afterTurn(READY)
    const age = this.#freshness.age()
    if (age > STALE) throw this.#unavailable()
    if (this.#rules.revokes(token)) return 'revoked'
    if (age > FRESH) this.#reportStale(age)
    return 'active'
  }

  /** Not where the loop runs, which has done what it can. After a failure one request tries at a time. */
  #mustRenew(): boolean {
    const { stopped, stalled, begun } = this.#polling
    return !stopped && (stalled || (begun && this.#failures === 0))
  }

  #isKnown(): boolean {
    return this.#freshness.age() <= STALE
  }

  #reportStale(age: number): void {
    if (this.#reportedStale) return
    this.#reportedStale = true
    const detail = `the revocation list is ${Math.round(age)} seconds old; it decides until it is ${STALE}`
    this.#context.report(detail, this.#problem)
  }

  #unavailable(): Unavailable {
    const problem = this.#problem === undefined ? 'not loaded in time' : describeProblem(this.#problem)
    return new Unavailable('revocation_unavailable', {
      detail: `the revocation list of ${this.#context.issuer} is not known: ${problem}`,
      cause: this.#problem,
      retryAfter: Math.max(1, this.#polling.pause),
    })
  }

  /**
   * @param begun somebody waits for it: the issuer is not asked to wait
   * @returns seconds until the next one
   */
  async #turn(begun: boolean): Promise<number> {
    const started = performance.now()
    const whole = this.#context.clock() >= this.#reloadAt
    try {
      const news = await this.#renew(whole, begun)
      this.#failures = 0
      this.#problem = undefined
      const elapsed = (performance.now() - started) / 1000
      const pace = whole || news || elapsed > this.#wait / 2 ? PACE : UNHURRIED
      return Math.max(0, pace - elapsed)
    } catch (problem) {
      this.#problem = problem
      this.#reloadAt = Number.NEGATIVE_INFINITY
      if (!this.#polling.stopped)
        this.#context.report(`the revocation list is not renewed: ${describeProblem(problem)}`, problem)
      const longest = Math.min(LAST_RETRY, FIRST_RETRY * 2 ** this.#failures++)
      return longest * (0.5 + Math.random() / 2)
    }
  }

  /** @returns whether the list says anything new */
  async #renew(whole: boolean, begun: boolean): Promise<boolean> {
    const { fetch, clock, issuer, metadata, verifyJwt } = this.#context
    this.#polling.expect(SLOWEST.keys)
    const uri =
      this.#uri ?? requireAdvertised('revocation_list_uri', (await metadata()).revocation_list_uri, issuer)
    const since = whole ? 0 : this.#seq
    const url = new URL(uri)
    if (!whole) url.searchParams.set('since', String(since))
    if (whole || !begun) {
      this.#name ??= crypto.randomUUID()
      url.searchParams.set('guard', this.#name)
    }
    const wait = whole || begun ? 0 : this.#wait
    if (wait > 0) url.searchParams.set('wait', String(wait))
    const timeout = whole ? LOAD : wait + ANSWER
    this.#polling.expect(timeout)
    this.#request = new AbortController()
    const { text } = await fetchText(fetch, url.href, {
      timeout,
      maxBytes: MAX_BYTES,
      accept: `application/${TYPE}`,
      signal: this.#request.signal,
    })
    this.#polling.expect(SLOWEST.keys)
    const claims = await verifyJwt(text.trim(), TYPE)
    const list = parseRevocationList(claims, { issuer, since, now: clock() })
    if (list.seq < this.#seq) this.#requireNewCount(list, whole)
    return this.#merge(list, whole)
  }

  #requireNewCount({ seq, issuedAt }: RevocationList, whole: boolean): void {
    const detail = `seq went back from ${this.#seq} to ${seq}`
    if (!whole) throw new TypeError(detail)
    if (issuedAt <= this.#freshness.issuedAt) throw new TypeError(`${detail} in a list that is not newer`)
    this.#context.report(`${detail}: the issuer has lost its count; nothing that was revoked is forgotten`)
  }

  #merge({ seq, issuedAt, rules }: RevocationList, whole: boolean): boolean {
    const now = this.#context.clock()
    const changed = this.#rules.add(rules, now)
    this.#rules.purge(now)
    const news = changed || seq !== this.#seq
    this.#seq = seq
    this.#freshness.renew(issuedAt)
    this.#reportedStale = false
    if (whole) this.#reloadAt = now + RELOAD
    if (changed) for (const listener of this.#listeners) listener()
    return news
  }
}
