import type { JWK } from 'jose'
import { importKey } from '#runtime'
import { fitsAlgorithm, type SignatureAlgorithm } from './algorithms.ts'
import { discoverMetadata } from './discovery.ts'
import { FetchFailure, fetchText } from './fetch-json.ts'
import { Flights, LATE } from './flights.ts'
import { isJsonObject } from './json.ts'
import { isForVerification, parsePublicJwk } from './public-jwk.ts'
import { Unavailable } from './refusal.ts'
import type { VerificationKey } from './runtime/contract.ts'

/** The members of authorization server metadata that the guard reads, RFC 8414 §2. */
export interface IssuerMetadata {
  readonly issuer: string
  readonly jwks_uri?: string
  readonly introspection_endpoint?: string
  /** Our issuer's revocation list; see `revocationList()`. */
  readonly revocation_list_uri?: string
  /** draft-ietf-oauth-status-list §9.3 */
  readonly status_list_aggregation_endpoint?: string
  readonly [member: string]: unknown
}

/** A key of an issuer's set. The same object as long as the issuer publishes the same key. */
export interface IssuerKey {
  readonly id: string | undefined
  readonly jwk: JWK
  /** Imported once per algorithm; throws what the runtime throws for an unusable key. */
  import(algorithm: SignatureAlgorithm): VerificationKey | Promise<VerificationKey>
}

/** All limits of fetching keys, seconds unless the name says otherwise. */
export const KEY_LIMITS = Object.freeze({
  /** One document, headers and body. */
  timeout: 5,
  maxBytes: 512 * 1024,
  maxKeys: 64,
  /** Keys that are tried when a token names none (RFC 7515 §4.1.4). */
  maxCandidates: 4,
  /** A set is used this long when its answer does not say. */
  defaultMaxAge: 300,
  /** … and never longer than this, whatever it says: a removed key is dead by then. */
  longestMaxAge: 600,
  /** … nor shorter, whatever it says: `no-store` must not mean a fetch per request. */
  shortestMaxAge: 5,
  /** Between two fetches made because of an unknown `kid`. */
  cooldown: 5,
  /** Keys known before an outage are used this long past their age; then nothing can be known. */
  staleIfError: 3600,
  /** Between attempts while the issuer does not answer: from … to, doubling. */
  firstRetry: 1,
  lastRetry: 30,
  /** Metadata is asked for again after this long: an issuer may begin to advertise revocations any time. */
  metadataMaxAge: 60,
})

/** Seconds in which metadata is there, or is not: it has two places; and the keys, which are asked for after it. */
export const SLOWEST = Object.freeze({ metadata: 2 * KEY_LIMITS.timeout, keys: 3 * KEY_LIMITS.timeout })

interface KeySet {
  readonly keys: readonly IssuerKey[]
  readonly fetchedAt: number
  readonly maxAge: number
}

export interface KeySource {
  readonly issuer: string
  /** Known keys' location; skips discovery. */
  readonly jwksUri: string | undefined
  readonly fetch: typeof fetch
  /** Seconds, with fraction. */
  readonly clock: () => number
}

/**
 * One issuer's keys (RFC 7517), fetched when first needed and kept: one fetch at a time however many wait for it,
 * renewed in the background at half their age, one extra fetch per cooldown for a `kid` not seen before, and the old ones
 * kept through an outage, within a bound.
 */
export class IssuerKeys {
  readonly #source: KeySource
  #set: KeySet | undefined
  #metadata: { document: IssuerMetadata; fetchedAt: number } | undefined
  readonly #discovering = new Flights<IssuerMetadata>(SLOWEST.metadata + LATE)
  #refreshing = new Flights<KeySet>(SLOWEST.keys + LATE)
  #failures = 0
  #retryAt = 0
  #lastFailure: unknown
  #cooldownUntil = 0
  #generation = 0

  constructor(source: KeySource) {
    this.#source = source
  }

  /** Whether the issuer still publishes the key, as far as is known. Synchronous, for the hot path. */
  holds(key: IssuerKey): boolean {
    const set = this.#set
    if (set === undefined) return false
    const now = this.#source.clock()
    const age = ageOf(set, now)
    if (age >= set.maxAge) return false
    if (age >= set.maxAge / 2) this.#refreshInBackground(now)
    return set.keys.includes(key)
  }

  /**
   * The keys that may have signed a token with this header, few. Empty when the issuer publishes none such.
   * @throws Unavailable when no usable set can be had
   */
  async find(kid: string | undefined, algorithm: SignatureAlgorithm): Promise<readonly IssuerKey[]> {
    const now = this.#source.clock()
    const before = this.#set
    const set = await this.#current(now)
    const found = candidates(set, kid, algorithm)
    const justFetched = set !== before
    if (found.length > 0 || justFetched) return found
    // A fetch that is on its way may bring the key: whoever names it meanwhile waits too.
    if (!this.#refreshing.has()) {
      if (isUntil(this.#cooldownUntil, now, KEY_LIMITS.cooldown)) return found
      this.#cooldownUntil = now + KEY_LIMITS.cooldown
    }
    try {
      return candidates(await this.#refresh(now), kid, algorithm)
    } catch (error) {
      // Nobody knows yet whether the key exists; the wait between attempts bounds what asking costs.
      this.#cooldownUntil = 0
      throw error
    }
  }

  /** Has a usable set, fetched if need be. @throws Unavailable */
  async load(): Promise<void> {
    await this.#current(this.#source.clock())
  }

  /** The issuer's metadata, discovered when first needed. @throws Unavailable */
  async metadata(): Promise<IssuerMetadata> {
    const { issuer, jwksUri, fetch, clock } = this.#source
    const now = clock()
    const known = this.#metadata
    const { metadataMaxAge } = KEY_LIMITS
    if (known !== undefined && isUntil(known.fetchedAt + metadataMaxAge, now, metadataMaxAge))
      return known.document
    if (jwksUri !== undefined) return { issuer, jwks_uri: jwksUri }
    try {
      const document = await this.#discovering.run(() => discoverMetadata(issuer, fetch, known?.document))
      this.#metadata = { document, fetchedAt: now }
      return document
    } catch (cause) {
      if (known !== undefined) {
        this.#metadata = { ...known, fetchedAt: now }
        return known.document
      }
      throw new Unavailable('keys_unavailable', { cause, detail: describe(cause) })
    }
  }

  /** Forgets all keys at once: for the day a signing key is stolen. The next token fetches them anew. */
  purge(): void {
    this.#generation++
    this.#set = undefined
    this.#metadata = undefined
    this.#refreshing = new Flights(SLOWEST.keys + LATE)
    this.#cooldownUntil = 0
    this.#retryAt = 0
    this.#failures = 0
  }

  async #current(now: number): Promise<KeySet> {
    const set = this.#set
    const age = set === undefined ? Number.POSITIVE_INFINITY : ageOf(set, now)
    if (set !== undefined && age < set.maxAge) {
      if (age >= set.maxAge / 2) this.#refreshInBackground(now)
      return set
    }
    const usable = set !== undefined && age < set.maxAge + KEY_LIMITS.staleIfError
    if (usable && this.#mustWait(now)) return set
    try {
      return await this.#refresh(now)
    } catch (error) {
      if (usable) return set
      throw error
    }
  }

  #refreshInBackground(now: number): void {
    if (!this.#refreshing.has() && !this.#mustWait(now)) this.#refresh(now).catch(() => undefined)
  }

  #mustWait(now: number): boolean {
    return isUntil(this.#retryAt, now, KEY_LIMITS.lastRetry)
  }

  #refresh(now: number): Promise<KeySet> {
    if (!this.#refreshing.has() && this.#mustWait(now)) return Promise.reject(this.#unavailable(now))
    return this.#refreshing.run(() => this.#fetch(now, this.#generation))
  }

  async #fetch(now: number, generation: number): Promise<KeySet> {
    try {
      const { jwks_uri } = await this.metadata()
      const { timeout, maxBytes } = KEY_LIMITS
      const url = jwks_uri as string
      const { text, headers } = await fetchText(this.#source.fetch, url, { timeout, maxBytes })
      const keys = parseKeySet(text, this.#set?.keys ?? [])
      if (keys.length === 0) throw new FetchFailure(url, 'no usable key')
      const set = { keys, fetchedAt: now, maxAge: parseMaxAge(headers.get('cache-control')) }
      if (generation === this.#generation) this.#set = set
      this.#failures = 0
      this.#retryAt = 0
      return set
    } catch (error) {
      const wait = Math.min(KEY_LIMITS.lastRetry, KEY_LIMITS.firstRetry * 2 ** this.#failures++)
      this.#retryAt = this.#source.clock() + wait
      this.#lastFailure = error
      // What was discovered may be what is wrong.
      if (this.#metadata !== undefined)
        this.#metadata = { ...this.#metadata, fetchedAt: Number.NEGATIVE_INFINITY }
      // By the clock of now: the seconds that the failure took are no reason to come back later.
      throw this.#unavailable(this.#source.clock())
    }
  }

  #unavailable(now: number): Unavailable {
    const detail = `keys of ${this.#source.issuer}: ${describe(this.#lastFailure)}`
    const retryAfter = Math.max(1, this.#retryAt - now)
    return new Unavailable('keys_unavailable', { retryAfter, cause: this.#lastFailure, detail })
  }
}

/** Whether a wait goes on. One that seems much longer than any is over: the clock was set back. */
function isUntil(end: number, now: number, longest: number): boolean {
  return now < end && end - now < longest + 1
}

/** A clock that was set back says nothing about age. */
function ageOf(set: KeySet, now: number): number {
  return now < set.fetchedAt ? Number.POSITIVE_INFINITY : now - set.fetchedAt
}

function candidates(
  set: KeySet,
  kid: string | undefined,
  algorithm: SignatureAlgorithm,
): readonly IssuerKey[] {
  return set.keys
    .filter((key) => (kid === undefined || key.id === kid) && fitsAlgorithm(key.jwk, algorithm))
    .slice(0, KEY_LIMITS.maxCandidates)
}

/** Reads a JWK set, leaving out what cannot verify a signature here; keys that were known stay the same objects. */
function parseKeySet(text: string, known: readonly IssuerKey[]): readonly IssuerKey[] {
  const document: unknown = JSON.parse(text)
  if (!isJsonObject(document) || !Array.isArray(document.keys)) throw new TypeError('not a JWK set')
  const keys: IssuerKey[] = []
  for (const member of document.keys.slice(0, KEY_LIMITS.maxKeys)) {
    const key = parseKey(member)
    if (key === undefined) continue
    keys.push(known.find((old) => isSameKey(old, key)) ?? key)
  }
  return keys
}

function parseKey(member: unknown): IssuerKey | undefined {
  if (!isJsonObject(member) || !isForVerification(member as JWK)) return undefined
  const { kid, alg } = member
  if (kid !== undefined && typeof kid !== 'string') return undefined
  const jwk = parsePublicJwk(member)
  if (jwk === undefined) return undefined
  const imported = new Map<string, VerificationKey | Promise<VerificationKey>>()
  return {
    id: kid,
    jwk: { ...jwk, ...(typeof alg === 'string' ? { alg } : {}) },
    import(algorithm) {
      const known = imported.get(algorithm)
      if (known !== undefined) return known
      const key = importKey(jwk, algorithm)
      imported.set(algorithm, key)
      return key
    },
  }
}

function isSameKey(a: IssuerKey, b: IssuerKey): boolean {
  return a.id === b.id && JSON.stringify(a.jwk) === JSON.stringify(b.jwk)
}

function parseMaxAge(cacheControl: string | null): number {
  const { defaultMaxAge, longestMaxAge, shortestMaxAge } = KEY_LIMITS
  const seconds = /(?:^|[\s,])max-age=(\d{1,9})/i.exec(cacheControl ?? '')?.[1]
  if (seconds === undefined) return defaultMaxAge
  return Math.max(shortestMaxAge, Math.min(longestMaxAge, Number(seconds)))
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
