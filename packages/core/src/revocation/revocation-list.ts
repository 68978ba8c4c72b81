import type { JWTPayload } from 'jose'
import type { AccessToken } from '../access-token.ts'
import { isNumericDate } from '../dpop/proof.ts'
import { fetchText } from '../fetch-json.ts'
import { Refusal, Unavailable } from '../refusal.ts'
import { FRESH, Freshness, STALE } from './freshness.ts'
import { RuleSet } from './rule-set.ts'
import { parseRules, type RevocationRule } from './rules.ts'
import type { RevocationContext, RevocationFeed, RevocationSource, RevocationVerdict } from './source.ts'

export interface RevocationListOptions {
  /** Where the list is. Default: `revocation_list_uri` of the issuer's metadata. */
  readonly uri?: string
  /** Seconds that a request waits at the issuer for a newer rule, 1 to 4. Default 4, so that silence is noticed in time. */
  readonly wait?: number
}

const TYPE = 'revocation-list+jwt'
const MAX_BYTES = 64 * 1024 * 1024
/** How far ahead the issuer's clock may be. */
const AHEAD = 10
/** Seconds that the first decision waits for the first list. */
const FIRST_LOAD = 5
const FIRST_RETRY = 0.2
const LAST_RETRY = 5

/** A list, verified and understood. */
interface RevocationList {
  readonly issuedAt: number
  readonly seq: number
  readonly rules: readonly RevocationRule[]
}

/**
 * The issuer's revocation list: a signed JWT with every rule that still matters, then, by long-poll, each new rule as soon
 * as it exists. One connection per guard and issuer; decisions are made from memory.
 *
 * A list with a wrong signature, `iss`, `typ`, date or sequence, or with a rule that is not understood, is ignored and
 * reported; it never turns into "nothing is revoked". Rules only accumulate: an issuer that has lost its state and counts
 * from the beginning is read anew, but what was revoked before stays revoked. State up to 5 seconds old decides, up to 60
 * it decides and is reported, older is {@link Unavailable}.
 */
export function revocationList(options: RevocationListOptions = {}): RevocationSource {
  const wait = Math.min(4, Math.max(1, options.wait ?? 4))
  return { name: 'revocation-list', open: (context) => new RevocationListFeed(context, options.uri, wait) }
}

class RevocationListFeed implements RevocationFeed {
  readonly #context: RevocationContext
  readonly #uri: string | undefined
  readonly #wait: number
  readonly #rules = new RuleSet()
  readonly #freshness: Freshness
  readonly #closed = new AbortController()
  readonly #listeners = new Set<() => void>()
  #seq = 0
  #latest = Number.NEGATIVE_INFINITY
  #following = false
  #failures = 0
  #firstLoad: Promise<void> | undefined
  #loaded: () => void = () => undefined
  #reportedStale = false

  constructor(context: RevocationContext, uri: string | undefined, wait: number) {
    this.#context = context
    this.#uri = uri
    this.#wait = wait
    this.#freshness = new Freshness(context.clock)
  }

  check(token: AccessToken): RevocationVerdict | Promise<RevocationVerdict> {
    this.#follow()
    const age = this.#freshness.age()
    if (age > FRESH) {
      if (age === Number.POSITIVE_INFINITY) return this.ready().then(() => this.#decide(token))
      this.#freshness.requireKnown('the revocation list')
      this.#reportStale(age)
    }
    return this.#decide(token)
  }

  async ready(): Promise<void> {
    this.#follow()
    if (this.#freshness.age() === Number.POSITIVE_INFINITY) await this.#awaitFirstLoad()
    this.#freshness.requireKnown('the revocation list')
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  close(): void {
    this.#closed.abort()
  }

  #decide(token: AccessToken): RevocationVerdict {
    return this.#rules.revokes(token) ? 'revoked' : 'active'
  }

  #reportStale(age: number): void {
    if (this.#reportedStale) return
    this.#reportedStale = true
    this.#context.report(
      `the revocation list is ${Math.round(age)} seconds old; decisions go on until ${STALE}`,
    )
  }

  #awaitFirstLoad(): Promise<void> {
    this.#firstLoad ??= new Promise((resolve) => {
      this.#loaded = resolve
    })
    return Promise.race([
      this.#firstLoad,
      pause(FIRST_LOAD, this.#closed.signal).then(() => {
        throw new Unavailable('revocation_unavailable', { detail: 'the revocation list has not been loaded' })
      }),
    ])
  }

  /** Keeps one request open for as long as the guard lives. */
  #follow(): void {
    if (this.#following || this.#closed.signal.aborted) return
    this.#following = true
    void this.#run()
  }

  async #run(): Promise<void> {
    while (!this.#closed.signal.aborted) {
      try {
        await this.#poll()
        this.#failures = 0
      } catch (error) {
        if (this.#closed.signal.aborted) return
        this.#context.report(
          'the revocation list could not be renewed',
          error instanceof Refusal ? error.detail : error,
        )
        const longest = Math.min(LAST_RETRY, FIRST_RETRY * 2 ** this.#failures++)
        await pause(longest * (0.5 + Math.random() / 2), this.#closed.signal)
      }
    }
  }

  async #poll(): Promise<void> {
    const { fetch, clock } = this.#context
    const uri = this.#uri ?? (await this.#context.metadata()).revocation_list_uri
    if (uri === undefined) throw new TypeError('the issuer advertises no revocation_list_uri')
    const since = this.#seq
    const url = new URL(uri)
    if (this.#latest !== Number.NEGATIVE_INFINITY) {
      url.searchParams.set('since', String(since))
      url.searchParams.set('wait', String(this.#wait))
    }
    const timeout = this.#wait + 5
    const accept = `application/${TYPE}`
    const signal = this.#closed.signal
    const { text } = await fetchText(fetch, url.href, { timeout, maxBytes: MAX_BYTES, accept, signal })
    const list = this.#understand(await this.#context.verifyJwt(text.trim(), TYPE), since)
    if (list.seq < since) return this.#startOver(list)
    this.#apply(list, clock())
  }

  #understand(claims: JWTPayload, since: number): RevocationList {
    const { iss, iat, exp, seq, since: from, rules: value } = claims
    const now = this.#context.clock()
    if (iss !== this.#context.issuer) throw new TypeError('iss is another issuer')
    if (!isNumericDate(iat) || iat > now + AHEAD) throw new TypeError('iat is missing or in the future')
    if (!isNumericDate(exp) || exp <= now - AHEAD) throw new TypeError('exp is missing or over')
    if (iat < this.#latest) throw new TypeError('older than the list before')
    if (!isSequence(seq) || !isSequence(from) || from > since)
      throw new TypeError('seq or since is missing or wrong')
    return { issuedAt: iat, seq, rules: parseRules(value) }
  }

  #apply({ issuedAt, seq, rules }: RevocationList, now: number): void {
    this.#rules.add(rules, now)
    this.#rules.purge(now)
    this.#seq = seq
    this.#latest = issuedAt
    this.#freshness.renew(issuedAt, now)
    this.#reportedStale = false
    this.#loaded()
    if (rules.length > 0) for (const listener of this.#listeners) listener()
  }

  /**
   * The issuer counts lower than before: it has lost its state, or somebody plays back an old list. Reading everything
   * anew is right in either case, since no rule we have is taken back by it.
   */
  #startOver({ seq }: RevocationList): void {
    this.#context.report(`the revocation list went back from ${this.#seq} to ${seq}; reading all of it`)
    this.#seq = 0
  }
}

function isSequence(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

/** Resolves after some seconds, or when the feed is closed. Does not keep a process alive. */
function pause(seconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, seconds * 1000)
    ;(timer as { unref?: () => void }).unref?.()
    signal.addEventListener('abort', done)
  })
}
