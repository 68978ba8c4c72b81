import { LRUCache } from 'lru-cache'
import type { AccessToken } from '../access-token.ts'
import { readBounded } from '../fetch-json.ts'
import { isJsonObject, type JsonObject } from '../json.ts'
import { ConfigurationError, Unavailable } from '../refusal.ts'
import type { RevocationContext, RevocationFeed, RevocationSource, RevocationVerdict } from './source.ts'

export interface IntrospectionOptions {
  /** Credentials of this resource at the issuer (`client_secret_basic`). */
  readonly clientId: string
  readonly clientSecret: string
  /** Default: `introspection_endpoint` of the issuer's metadata. */
  readonly endpoint?: string
  /** Seconds that `active: true` is believed, never past the token's `exp`: how late a revocation may be noticed. Default 5. */
  readonly cacheFor?: number
  /** Seconds that `active: false` is believed. Default 30. */
  readonly cacheInactiveFor?: number
  /** Milliseconds an answer may take. Default 500. */
  readonly deadlineMs?: number
}

const MAX_CACHED = 50_000
const MAX_BYTES = 64 * 1024
/** Failures in a row after which the issuer is left alone for a while. */
const BREAKS_AFTER = 5
/** Seconds it is left alone. */
const BROKEN_FOR = 5

/**
 * Asks the issuer about each token (RFC 7662), after it has been verified here: the way to honour revocation with an issuer
 * that publishes no list, such as a stock SharkAuth. One question at a time per token, answers kept for seconds, a circuit
 * breaker. Only `active` is taken from the answer, and it must not contradict the token; binding and scopes are the token's own.
 */
export function introspection(options: IntrospectionOptions): RevocationSource {
  for (const name of ['clientId', 'clientSecret'] as const) {
    if (typeof options?.[name] !== 'string' || options[name] === '') {
      throw new ConfigurationError(
        `introspection.${name}`,
        'expected the credentials of this resource at the issuer',
      )
    }
  }
  return { name: 'introspection', open: (context) => new IntrospectionFeed(context, options) }
}

class IntrospectionFeed implements RevocationFeed {
  readonly #context: RevocationContext
  readonly #options: IntrospectionOptions
  readonly #known = new LRUCache<string, { verdict: RevocationVerdict; until: number }>({ max: MAX_CACHED })
  readonly #asking = new Map<string, Promise<RevocationVerdict>>()
  readonly #closed = new AbortController()
  #failures = 0
  #brokenUntil = Number.NEGATIVE_INFINITY

  constructor(context: RevocationContext, options: IntrospectionOptions) {
    this.#context = context
    this.#options = options
  }

  check(token: AccessToken, text: string): RevocationVerdict | Promise<RevocationVerdict> {
    const known = this.#known.get(token.hash)
    if (known !== undefined && this.#context.clock() < known.until) return known.verdict
    const asking = this.#asking.get(token.hash)
    if (asking !== undefined) return asking
    const started = this.#decide(token, text).finally(() => this.#asking.delete(token.hash))
    this.#asking.set(token.hash, started)
    return started
  }

  async ready(): Promise<void> {
    await this.#endpoint()
  }

  close(): void {
    this.#closed.abort()
  }

  async #decide(token: AccessToken, text: string): Promise<RevocationVerdict> {
    const { clock, report } = this.#context
    if (clock() < this.#brokenUntil)
      throw this.#unavailable('the issuer did not answer, and is left alone for a moment')
    try {
      const answer = await this.#ask(text)
      this.#failures = 0
      const verdict = answer.active === true && !contradicts(answer, token) ? 'active' : 'revoked'
      const { cacheFor = 5, cacheInactiveFor = 30 } = this.#options
      const until = clock() + (verdict === 'active' ? cacheFor : cacheInactiveFor)
      this.#known.set(token.hash, { verdict, until: Math.min(until, token.expiresAt) })
      return verdict
    } catch (cause) {
      if (++this.#failures >= BREAKS_AFTER) this.#brokenUntil = clock() + BROKEN_FOR
      report('introspection failed', cause)
      throw this.#unavailable('introspection failed', cause)
    }
  }

  async #ask(text: string): Promise<JsonObject> {
    const { clientId, clientSecret, deadlineMs = 500 } = this.#options
    const signal = AbortSignal.any([AbortSignal.timeout(deadlineMs), this.#closed.signal])
    const endpoint = await this.#endpoint()
    const response = await this.#context.fetch(endpoint, {
      method: 'POST',
      redirect: 'manual',
      signal,
      headers: {
        accept: 'application/json',
        'content-type': 'application/x-www-form-urlencoded',
        authorization: `Basic ${btoa(`${formEncode(clientId)}:${formEncode(clientSecret)}`)}`,
      },
      body: new URLSearchParams({ token: text, token_type_hint: 'access_token' }).toString(),
    })
    if (response.status !== 200) {
      await response.body?.cancel().catch(() => undefined)
      throw new TypeError(`status ${response.status}`)
    }
    const answer: unknown = JSON.parse(await readBounded(response, endpoint, MAX_BYTES, signal))
    if (!isJsonObject(answer) || typeof answer.active !== 'boolean')
      throw new TypeError('active is not a boolean')
    return answer
  }

  async #endpoint(): Promise<string> {
    const endpoint = this.#options.endpoint ?? (await this.#context.metadata()).introspection_endpoint
    if (typeof endpoint !== 'string') throw this.#unavailable('the issuer names no introspection_endpoint')
    return endpoint
  }

  #unavailable(detail: string, cause?: unknown): Unavailable {
    const retryAfter = Math.max(1, this.#brokenUntil - this.#context.clock())
    return new Unavailable('revocation_unavailable', { detail, cause, retryAfter })
  }
}

/** An answer about another token than the one that was sent is no answer about that one. */
function contradicts(answer: JsonObject, token: AccessToken): boolean {
  const { iss, client_id: clientId, jti } = answer
  return (
    (iss !== undefined && iss !== token.issuer) ||
    (clientId !== undefined && clientId !== token.clientId) ||
    (jti !== undefined && token.id !== undefined && jti !== token.id)
  )
}

/** RFC 6749 §2.3.1, appendix B. */
function formEncode(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1)
}
