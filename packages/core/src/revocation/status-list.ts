import { LRUCache } from 'lru-cache'
import type { AccessToken } from '../access-token.ts'
import { fetchText } from '../fetch-json.ts'
import { Flights, LATE } from '../flights.ts'
import { isJsonObject } from '../json.ts'
import { SLOWEST } from '../keys.ts'
import { requireKnownOptions } from '../known-options.ts'
import { ConfigurationError, Refusal, Unavailable } from '../refusal.ts'
import type { RevocationContext, RevocationFeed, RevocationSource, RevocationVerdict } from './source.ts'
import { describeProblem } from './source-options.ts'
import { MAX_INFLATED, parseStatusList, readStatus, type StatusList } from './status-list-token.ts'

/** Where status lists may be. */
export interface StatusListOptions {
  /** Origins that lists may be on, beside the issuer's own. Default: none. */
  readonly origins?: readonly string[]
}

const TYPE = 'statuslist+jwt'
/** Of a list as it comes: 16 MB that do not deflate, in base64url twice. */
const MAX_BYTES = 32 * 1024 * 1024
const MAX_LISTS = 1024
/** Of all lists that are kept, inflated. */
const MAX_KEPT_BYTES = 4 * MAX_INFLATED
const MAX_LOADING = 16
const TIMEOUT = 5
/** Seconds in which a list is there, with the keys that it takes, or is not. */
const LONGEST = TIMEOUT + SLOWEST.keys
/** Seconds past its `ttl` that a list decides while it cannot be renewed; never past its `exp`. */
const STALE = 60
/** Part of its `ttl` after which a list that is in use is renewed, before anyone has to wait for it. */
const EARLY = 0.75
/** Seconds between attempts while a list cannot be had: from … to, doubling, less up to half by chance. */
const FIRST_RETRY = 1
const LAST_RETRY = 15

interface Kept {
  readonly list: StatusList
  readonly receivedAt: number
}

/**
 * Token Status List (draft-ietf-oauth-status-list): a token that names `status.status_list.{idx,uri}` is revoked unless
 * its entry there is 0, VALID. A list must be a `statuslist+jwt` that the token's issuer signed, with `sub` equal to its URI,
 * on the issuer's origin. It is kept for its `ttl`, within 1 to 300 seconds: how late a revocation may be noticed. While it
 * cannot be renewed it decides for 60 seconds more, and that is reported; then {@link Unavailable}.
 *
 * An index outside of the list is revoked. Tokens without a `status` claim are not decided by this source.
 */
export function statusList(options: StatusListOptions = {}): RevocationSource {
  requireKnownOptions('statusList', options, ['origins'])
  const { origins = [] } = options
  if (!Array.isArray(origins) || !origins.every(isOrigin)) {
    throw new ConfigurationError('statusList.origins', 'expected origins, such as https://lists.example.com')
  }
  return { name: 'status-list', open: (context) => new StatusListFeed(context, origins) }
}

class StatusListFeed implements RevocationFeed {
  readonly #context: RevocationContext
  readonly #origins: ReadonlySet<string>
  readonly #kept = new LRUCache<string, Kept>({
    max: MAX_LISTS,
    maxSize: MAX_KEPT_BYTES,
    sizeCalculation: ({ list }) => list.bytes.length + 1,
  })
  readonly #loading = new Flights<Kept>(LONGEST + LATE)
  readonly #failed = new LRUCache<string, { attempts: number; retryAt: number }>({ max: MAX_LISTS })
  readonly #closed = new AbortController()

  constructor(context: RevocationContext, origins: readonly string[]) {
    this.#context = context
    this.#origins = new Set([new URL(context.issuer).origin, ...origins])
  }

  check(token: AccessToken): RevocationVerdict | Promise<RevocationVerdict> {
    const { status } = token.claims as { status?: unknown }
    if (status === undefined) return 'active'
    const { idx, uri } = parseReference(status)
    const kept = this.#kept.get(uri)
    if (kept !== undefined) {
      const age = this.#age(kept)
      if (age < kept.list.ttl) {
        if (age >= kept.list.ttl * EARLY) this.#load(uri).catch(() => undefined)
        return readStatus(kept.list, idx)
      }
    }
    return this.#renew(uri, kept).then(({ list }) => readStatus(list, idx))
  }

  /** Which lists there are is known with the first token that names one; that token waits. */
  async ready(): Promise<void> {}

  close(): void {
    this.#closed.abort()
  }

  /** Seconds; infinite for a list that has expired, or that came before the clock was set back. */
  #age({ list, receivedAt }: Kept): number {
    const now = this.#context.clock()
    return now >= receivedAt && now < list.expiresAt ? now - receivedAt : Number.POSITIVE_INFINITY
  }

  async #renew(uri: string, kept: Kept | undefined): Promise<Kept> {
    try {
      return await this.#load(uri)
    } catch (cause) {
      if (kept !== undefined && this.#age(kept) < kept.list.ttl + STALE) return kept
      const retryAfter = Math.max(1, (this.#failed.get(uri)?.retryAt ?? 0) - this.#context.clock())
      const detail = `a status list is not available: ${describeProblem(cause)}`
      throw new Unavailable('revocation_unavailable', { cause, detail, retryAfter })
    }
  }

  /** One load at a time per list, and none right after a failure. */
  #load(uri: string): Promise<Kept> {
    if (!this.#loading.has(uri)) {
      const wait = (this.#failed.get(uri)?.retryAt ?? 0) - this.#context.clock()
      if (wait > 0 && wait <= LAST_RETRY) return Promise.reject(new TypeError('it failed a moment ago'))
      if (this.#loading.size >= MAX_LOADING) return Promise.reject(new TypeError('too many at once'))
    }
    return this.#loading.run(() => this.#attempt(uri), uri)
  }

  async #attempt(uri: string): Promise<Kept> {
    try {
      const kept = await this.#fetch(uri)
      this.#failed.delete(uri)
      this.#kept.set(uri, kept)
      return kept
    } catch (problem) {
      const { clock, report } = this.#context
      const attempts = (this.#failed.get(uri)?.attempts ?? 0) + 1
      const longest = Math.min(LAST_RETRY, FIRST_RETRY * 2 ** (attempts - 1))
      this.#failed.set(uri, { attempts, retryAt: clock() + longest * (0.5 + Math.random() / 2) })
      report(`a status list is not renewed: ${describeProblem(problem)}`, problem)
      throw problem
    }
  }

  async #fetch(uri: string): Promise<Kept> {
    if (!this.#origins.has(new URL(uri).origin)) throw new TypeError('it is not on an origin of the issuer')
    const { fetch, clock, issuer, verifyJwt } = this.#context
    const limits = {
      timeout: TIMEOUT,
      maxBytes: MAX_BYTES,
      accept: `application/${TYPE}`,
      signal: this.#closed.signal,
    }
    const { text } = await fetchText(fetch, uri, limits)
    const claims = await verifyJwt(text.trim(), TYPE)
    const receivedAt = clock()
    const list = await parseStatusList(claims, { uri, issuer, now: receivedAt })
    const known = this.#kept.peek(uri)
    if (known !== undefined && list.issuedAt < known.list.issuedAt) {
      throw new TypeError('it is older than the one before')
    }
    return { list, receivedAt }
  }
}

/** @throws Refusal: the token says that it has a status, but not where */
function parseReference(status: unknown): { idx: number; uri: string } {
  const { idx, uri } = isJsonObject(status) && isJsonObject(status.status_list) ? status.status_list : {}
  if (typeof idx !== 'number' || !Number.isSafeInteger(idx) || idx < 0) throw malformed('idx')
  if (typeof uri !== 'string' || !/^https?:\/\//.test(uri) || !URL.canParse(uri)) throw malformed('uri')
  return { idx, uri }
}

function malformed(member: string): Refusal {
  return new Refusal('token_claims_invalid', `status.status_list.${member}`)
}

function isOrigin(origin: unknown): boolean {
  return typeof origin === 'string' && URL.canParse(origin) && new URL(origin).origin === origin
}
