import { LRUCache } from 'lru-cache'
import { decodeBase64url } from '#runtime'
import type { AccessToken } from '../access-token.ts'
import { isCanonicalBase64url } from '../base64url.ts'
import { isNumericDate } from '../dpop/proof.ts'
import { fetchText } from '../fetch-json.ts'
import { isJsonObject } from '../json.ts'
import { Refusal, Unavailable } from '../refusal.ts'
import type { RevocationContext, RevocationFeed, RevocationSource, RevocationVerdict } from './source.ts'

export interface StatusListOptions {
  /** Origins that lists may be on beside the issuer's own. Default: none. */
  readonly origins?: readonly string[]
}

const TYPE = 'statuslist+jwt'
const MAX_BYTES = 8 * 1024 * 1024
/** Of a list, inflated: a gigabyte of zeros deflates to one megabyte. */
const MAX_INFLATED = 16 * 1024 * 1024
const MAX_LISTS = 64
const TIMEOUT = 5
const [SHORTEST, LONGEST, USUAL] = [1, 300, 60]
/** How long past its `ttl` a list decides while it cannot be renewed; never past its `exp`. */
const STALE = 60
/** Between attempts while a list cannot be had. */
const RETRY = 1

interface StatusList {
  readonly bits: 1 | 2 | 4 | 8
  readonly bytes: Uint8Array
  readonly renewAt: number
  readonly endsAt: number
}

/**
 * Token Status List (draft-ietf-oauth-status-list): a token that names `status.status_list.{idx,uri}` is revoked unless
 * its entry there is 0, VALID. A list must be a `statuslist+jwt` signed by the token's issuer, with `sub` equal to its URI.
 * Tokens without the claim are not decided by this source. An index outside of the list is refused.
 */
export function statusList(options: StatusListOptions = {}): RevocationSource {
  return { name: 'status-list', open: (context) => new StatusListFeed(context, options.origins ?? []) }
}

class StatusListFeed implements RevocationFeed {
  readonly #context: RevocationContext
  readonly #origins: ReadonlySet<string>
  readonly #lists = new LRUCache<string, StatusList>({ max: MAX_LISTS })
  readonly #loading = new Map<string, Promise<StatusList>>()
  readonly #retryAt = new LRUCache<string, number>({ max: MAX_LISTS })
  readonly #closed = new AbortController()

  constructor(context: RevocationContext, origins: readonly string[]) {
    this.#context = context
    this.#origins = new Set([new URL(context.issuer).origin, ...origins])
  }

  check(token: AccessToken): RevocationVerdict | Promise<RevocationVerdict> {
    const { status } = token.claims as { status?: unknown }
    if (status === undefined) return 'active'
    const reference =
      isJsonObject(status) && isJsonObject(status.status_list) ? status.status_list : undefined
    const { idx, uri } = reference ?? {}
    if (typeof idx !== 'number' || !Number.isSafeInteger(idx) || idx < 0 || !this.#isTrusted(uri)) {
      throw new Refusal('token_claims_invalid', 'status')
    }
    const list = this.#lists.get(uri)
    const now = this.#context.clock()
    if (list !== undefined && now < list.renewAt) return verdict(list, idx)
    return this.#renew(uri, list, now).then((renewed) => verdict(renewed, idx))
  }

  async ready(): Promise<void> {}

  close(): void {
    this.#closed.abort()
  }

  #isTrusted(uri: unknown): uri is string {
    return typeof uri === 'string' && URL.canParse(uri) && this.#origins.has(new URL(uri).origin)
  }

  /** A list that is over its `ttl` is asked for again; while that fails, the old one decides for a while. */
  async #renew(uri: string, old: StatusList | undefined, now: number): Promise<StatusList> {
    const usable = old !== undefined && now < old.endsAt ? old : undefined
    try {
      if (now < (this.#retryAt.get(uri) ?? 0)) throw new TypeError('asked a moment ago')
      return await this.#load(uri)
    } catch (cause) {
      if (usable !== undefined) return usable
      throw new Unavailable('revocation_unavailable', { cause, detail: 'the status list is not available' })
    }
  }

  #load(uri: string): Promise<StatusList> {
    const loading = this.#loading.get(uri)
    if (loading !== undefined) return loading
    const started = this.#fetch(uri)
      .catch((error) => {
        this.#retryAt.set(uri, this.#context.clock() + RETRY)
        this.#context.report(
          'a status list could not be renewed',
          error instanceof Refusal ? error.detail : error,
        )
        throw error
      })
      .finally(() => this.#loading.delete(uri))
    this.#loading.set(uri, started)
    return started
  }

  async #fetch(uri: string): Promise<StatusList> {
    const { fetch, clock, verifyJwt } = this.#context
    const limits = {
      timeout: TIMEOUT,
      maxBytes: MAX_BYTES,
      accept: `application/${TYPE}`,
      signal: this.#closed.signal,
    }
    const { text } = await fetchText(fetch, uri, limits)
    const { sub, iat, exp, ttl, status_list: value } = await verifyJwt(text.trim(), TYPE)
    const now = clock()
    if (sub !== uri) throw new TypeError('sub is not the URI of the list')
    if (!isNumericDate(iat) || iat > now + 10) throw new TypeError('iat is missing or in the future')
    if (exp !== undefined && !(isNumericDate(exp) && exp > now)) throw new TypeError('the list has expired')
    if (!isJsonObject(value)) throw new TypeError('status_list is missing')
    const { bits, lst } = value
    if (bits !== 1 && bits !== 2 && bits !== 4 && bits !== 8) throw new TypeError('bits must be 1, 2, 4 or 8')
    if (typeof lst !== 'string' || !isCanonicalBase64url(lst)) throw new TypeError('lst must be base64url')
    const life = isNumericDate(ttl) ? Math.min(LONGEST, Math.max(SHORTEST, ttl)) : USUAL
    const ends = exp ?? Number.POSITIVE_INFINITY
    const list: StatusList = {
      bits,
      bytes: await inflate(decodeBase64url(lst)),
      renewAt: Math.min(now + life, ends),
      endsAt: Math.min(now + life + STALE, ends),
    }
    this.#lists.set(uri, list)
    return list
  }
}

/** Entries are packed from the least significant bit; read in place. */
function verdict({ bits, bytes }: StatusList, idx: number): RevocationVerdict {
  const at = idx * bits
  const byte = bytes[Math.floor(at / 8)]
  if (byte === undefined) return 'revoked'
  return ((byte >> (at % 8)) & ((1 << bits) - 1)) === 0 ? 'active' : 'revoked'
}

/** zlib (RFC 1950), with a limit that is counted while inflating. */
async function inflate(bytes: Uint8Array): Promise<Uint8Array> {
  const source = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream()
  const reader = source.pipeThrough(new DecompressionStream('deflate')).getReader()
  const chunks: Uint8Array[] = []
  let size = 0
  for (;;) {
    const { done, value } = (await reader.read()) as { done: boolean; value: Uint8Array }
    if (done) break
    size += value.length
    if (size > MAX_INFLATED) {
      await reader.cancel()
      throw new TypeError('the list is too large')
    }
    chunks.push(value)
  }
  const whole = new Uint8Array(size)
  let offset = 0
  for (const chunk of chunks) {
    whole.set(chunk, offset)
    offset += chunk.length
  }
  return whole
}
