import { LRUCache } from 'lru-cache'
import type { AccessToken } from '../access-token.ts'
import { fetchText } from '../fetch-json.ts'
import { Flights, LATE } from '../flights.ts'
import { requireKnownOptions } from '../known-options.ts'
import { ConfigurationError, Unavailable } from '../refusal.ts'
import { CircuitBreaker } from './circuit-breaker.ts'
import { parseIntrospectionAnswer } from './introspection-answer.ts'
import type { RevocationContext, RevocationFeed, RevocationSource, RevocationVerdict } from './source.ts'
import { describeProblem, requireAdvertised, requireSeconds, requireUrl } from './source-options.ts'

/** Durations in seconds. */
export interface IntrospectionOptions {
  /** Credentials of this resource at the issuer, sent as `client_secret_basic` (RFC 6749 §2.3.1). */
  readonly clientId: string
  readonly clientSecret: string
  /** Default: `introspection_endpoint` of the issuer's metadata. */
  readonly endpoint?: string
  /** How long `active: true` is believed, never past the token's `exp`: how late a revocation may be noticed. Default 5, at most 60. */
  readonly cacheFor?: number
  /** How long `active: false` is believed. Default 30, at most 300. */
  readonly negativeCacheFor?: number
  /** For how long after `cacheFor` an answer still decides, while the issuer does not answer. Default 0: then it is 503. At most 60. */
  readonly staleIfError?: number
  /** For an answer, from start to end. Default 0.5, at most 10. */
  readonly deadline?: number
}

const OPTIONS = [
  'clientId',
  'clientSecret',
  'endpoint',
  'cacheFor',
  'negativeCacheFor',
  'staleIfError',
  'deadline',
]
const MAX_REMEMBERED = 50_000
const MAX_ASKING = 1000
const MAX_BYTES = 64 * 1024

interface Remembered {
  readonly verdict: RevocationVerdict
  readonly from: number
  readonly until: number
  readonly endsAt: number
}

/**
 * Asks the issuer about each token (RFC 7662), after it has been verified here: the way to honour revocation with an issuer
 * that publishes no list, such as a stock SharkAuth. One question at a time per token, answers kept for seconds, a deadline
 * and a circuit breaker. Anything but an answer with a boolean `active` about this very token is {@link Unavailable}.
 *
 * Takes nothing from the answer but whether the token is active: never `cnf`, `aud` or `scope`.
 */
export function introspection(options: IntrospectionOptions): RevocationSource {
  requireKnownOptions('introspection', options, OPTIONS)
  for (const name of ['clientId', 'clientSecret'] as const) {
    if (typeof options[name] === 'string' && options[name] !== '') continue
    const expected = 'expected the credentials of this resource at the issuer'
    throw new ConfigurationError(`introspection.${name}`, expected)
  }
  const { cacheFor = 5, negativeCacheFor = 30, staleIfError = 0, deadline = 0.5 } = options
  const settings: Settings = {
    authorization: `Basic ${btoa(`${formEncode(options.clientId)}:${formEncode(options.clientSecret)}`)}`,
    endpoint: requireUrl('introspection.endpoint', options.endpoint),
    cacheFor: requireSeconds('introspection.cacheFor', cacheFor, 0, 60),
    negativeCacheFor: requireSeconds('introspection.negativeCacheFor', negativeCacheFor, 0, 300),
    staleIfError: requireSeconds('introspection.staleIfError', staleIfError, 0, 60),
    deadline: requireSeconds('introspection.deadline', deadline, 0.01, 10),
  }
  return { name: 'introspection', open: (context) => new IntrospectionFeed(context, settings) }
}

interface Settings extends Required<Omit<IntrospectionOptions, 'clientId' | 'clientSecret' | 'endpoint'>> {
  readonly authorization: string
  readonly endpoint: string | undefined
}

class IntrospectionFeed implements RevocationFeed {
  readonly #context: RevocationContext
  readonly #settings: Settings
  readonly #remembered = new LRUCache<string, Remembered>({ max: MAX_REMEMBERED })
  readonly #asking: Flights<RevocationVerdict>
  readonly #breaker: CircuitBreaker
  readonly #requests = new Set<AbortController>()
  #closed = false

  constructor(context: RevocationContext, settings: Settings) {
    this.#context = context
    this.#settings = settings
    this.#asking = new Flights(settings.deadline + LATE)
    this.#breaker = new CircuitBreaker(context.clock)
  }

  check(token: AccessToken, text: string): RevocationVerdict | Promise<RevocationVerdict> {
    const known = this.#remembered.get(token.hash)
    const now = this.#context.clock()
    // An answer from the future was given before the clock was set back: how old it is nobody knows.
    if (known !== undefined && known.from <= now && now < known.until) return known.verdict
    return this.#asking.run(() => this.#decide(token, text), token.hash)
  }

  /** Resolves when the endpoint is known; whether it answers is seen with the first token. */
  async ready(): Promise<void> {
    try {
      await this.#endpoint()
    } catch (cause) {
      throw this.#unavailable(cause)
    }
  }

  close(): void {
    this.#closed = true
    for (const request of this.#requests) request.abort()
  }

  async #decide(token: AccessToken, text: string): Promise<RevocationVerdict> {
    const { clock, report } = this.#context
    if (this.#closed || this.#asking.size >= MAX_ASKING) throw this.#unavailable('closed, or too much to ask')
    if (!this.#breaker.enter()) return this.#decideStale(token, 'the issuer is left alone for a moment')
    try {
      const answer = parseIntrospectionAnswer(await this.#ask(text), token)
      this.#breaker.succeeded()
      const { cacheFor, negativeCacheFor } = this.#settings
      const from = clock()
      const verdict = from < answer.endsAt ? answer.verdict : 'revoked'
      const until = Math.min(from + (verdict === 'active' ? cacheFor : negativeCacheFor), answer.endsAt)
      this.#remembered.set(token.hash, { verdict, from, until, endsAt: answer.endsAt })
      return verdict
    } catch (problem) {
      this.#breaker.failed()
      report(`introspection failed: ${describeProblem(problem)}`, problem)
      return this.#decideStale(token, problem)
    }
  }

  #decideStale(token: AccessToken, problem: unknown): RevocationVerdict {
    const known = this.#remembered.peek(token.hash)
    const now = this.#context.clock()
    if (known !== undefined && known.from <= now) {
      if (known.verdict === 'revoked') return 'revoked'
      if (now < Math.min(known.until + this.#settings.staleIfError, known.endsAt)) return 'active'
    }
    throw this.#unavailable(problem)
  }

  async #ask(text: string): Promise<string> {
    const { authorization, deadline } = this.#settings
    const request = new AbortController()
    const timer = setTimeout(() => request.abort(new TypeError('no answer in time')), deadline * 1000)
    const stopped = new Promise<never>((_, reject) => {
      request.signal.addEventListener('abort', () => reject(request.signal.reason))
    })
    stopped.catch(() => undefined)
    this.#requests.add(request)
    try {
      const endpoint = await Promise.race([this.#endpoint(), stopped])
      const post: typeof fetch = (url, init) =>
        this.#context.fetch(url, {
          ...init,
          method: 'POST',
          headers: {
            accept: 'application/json',
            authorization,
            'content-type': 'application/x-www-form-urlencoded',
          },
          body: new URLSearchParams({ token: text, token_type_hint: 'access_token' }).toString(),
          signal: request.signal,
        })
      const limits = { timeout: deadline, maxBytes: MAX_BYTES, signal: request.signal }
      return (await Promise.race([fetchText(post, endpoint, limits), stopped])).text
    } finally {
      clearTimeout(timer)
      this.#requests.delete(request)
    }
  }

  async #endpoint(): Promise<string> {
    if (this.#settings.endpoint !== undefined) return this.#settings.endpoint
    const { metadata, issuer } = this.#context
    return requireAdvertised('introspection_endpoint', (await metadata()).introspection_endpoint, issuer)
  }

  #unavailable(problem: unknown): Unavailable {
    const detail = `introspection: ${describeProblem(problem)}`
    const retryAfter = Math.max(1, this.#breaker.pause)
    return new Unavailable('revocation_unavailable', { detail, cause: problem, retryAfter })
  }
}

/** RFC 6749 §2.3.1 and appendix B: each half form-encoded before they are joined. */
function formEncode(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1)
}
