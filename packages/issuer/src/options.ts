import { memoryStore } from './memory-store.ts'
import type { IssuerStore } from './store.ts'

/** Options of an issuer. Durations in seconds. Unknown keys are an error. */
export interface IssuerOptions {
  /** The issuer identifier, as clients reach it. `startIssuer` derives it from where it listens. */
  readonly issuer?: string
  /** The admin key. Default: a new one, `sk_live_…`. */
  readonly adminKey?: string
  /** Lifetime of access tokens. Default 300. */
  readonly tokenLifetime?: number
  /** Lifetime of refresh tokens and remembered consents, from their last use. Default 14 days. */
  readonly refreshTokenLifetime?: number
  /** `typ` of access tokens. Default `'at+jwt'` (RFC 9068); `'JWT'` as SharkAuth's. */
  readonly tokenType?: 'at+jwt' | 'JWT'
  /** Resources that tokens may be asked for. Default: any absolute http(s) URI without fragment. */
  readonly resources?: readonly string[]
  /** The audience where a request names none. Default: such a request is refused with `invalid_target`. */
  readonly defaultResource?: string
  /** Where everything is kept. Default: in memory. */
  readonly store?: IssuerStore
  /** Clients that may register themselves. Default: anybody. */
  readonly registration?: 'open' | 'closed'
  /**
   * Whether tokens say where their status is (draft-ietf-oauth-status-list), for verifiers other than ours, and how: `ttl`,
   * for how many seconds a list may be kept, 1 to 300, default 15; `size`, tokens in a list, a multiple of 8192, default
   * 131,072. Default true.
   */
  readonly statusList?: boolean | { readonly ttl?: number; readonly size?: number }
  /** Demands DPoP nonces at the token endpoint (RFC 9449 §8). Default false. */
  readonly nonce?: boolean
  /** Seconds since the epoch, for tests. Milliseconds are recognized. */
  readonly clock?: () => number
  /** Where structured events go. Default: nowhere. Never sees a secret, a token or a code. */
  readonly log?: (event: Readonly<Record<string, unknown>>) => void
}

export interface Settings {
  readonly issuer: string
  readonly adminKey: string
  readonly tokenLifetime: number
  readonly refreshTokenLifetime: number
  /** How long anything that can be revoked may live: so long are rules kept. */
  readonly longestLife: number
  readonly tokenType: 'at+jwt' | 'JWT'
  readonly resources: readonly string[] | undefined
  readonly defaultResource: string | undefined
  readonly store: IssuerStore
  readonly registration: 'open' | 'closed'
  readonly statusList: { readonly ttl: number; readonly size: number } | undefined
  readonly nonce: boolean
  readonly clock: () => number
  readonly log: (event: Readonly<Record<string, unknown>>) => void
}

const OPTIONS: Record<keyof IssuerOptions, true> = {
  issuer: true,
  adminKey: true,
  tokenLifetime: true,
  refreshTokenLifetime: true,
  tokenType: true,
  resources: true,
  defaultResource: true,
  store: true,
  registration: true,
  statusList: true,
  nonce: true,
  clock: true,
  log: true,
}

/** Checks everything that can be wrong, at start-up. @throws TypeError naming the option and what was expected */
export function resolveOptions(options: IssuerOptions, adminKey: string): Settings {
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(OPTIONS, name)) {
      throw new TypeError(`issuer: ${name}: unknown option; known are ${Object.keys(OPTIONS).join(', ')}`)
    }
  }
  const issuer = options.issuer ?? 'http://localhost:8080'
  const url = URL.canParse(issuer) ? new URL(issuer) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '') {
    throw new TypeError('issuer: issuer: expected an http(s) URL without query or fragment (RFC 8414 §2)')
  }
  const tokenLifetime = options.tokenLifetime ?? 300
  if (!(Number.isFinite(tokenLifetime) && tokenLifetime >= 1 && tokenLifetime <= 86_400)) {
    throw new TypeError('issuer: tokenLifetime: expected 1 to 86400 seconds')
  }
  const refreshTokenLifetime = options.refreshTokenLifetime ?? 14 * 86_400
  if (
    !(
      Number.isFinite(refreshTokenLifetime) &&
      refreshTokenLifetime >= 1 &&
      refreshTokenLifetime <= 366 * 86_400
    )
  ) {
    throw new TypeError('issuer: refreshTokenLifetime: expected 1 second to 366 days')
  }
  const clock = createClock(options.clock)
  const tokenType = options.tokenType ?? 'at+jwt'
  if (tokenType !== 'at+jwt' && tokenType !== 'JWT')
    throw new TypeError("issuer: tokenType: expected 'at+jwt' or 'JWT'")
  for (const resource of [
    ...(options.resources ?? []),
    ...(options.defaultResource ? [options.defaultResource] : []),
  ]) {
    if (!isResource(resource))
      throw new TypeError('issuer: resources: expected absolute URIs without fragment')
  }
  return {
    issuer,
    adminKey: options.adminKey ?? adminKey,
    tokenLifetime,
    refreshTokenLifetime,
    longestLife: Math.max(86_400, refreshTokenLifetime),
    tokenType,
    resources: options.resources,
    defaultResource: options.defaultResource,
    store: options.store ?? memoryStore({ clock }),
    registration: options.registration ?? 'open',
    statusList: resolveStatusList(options.statusList ?? true),
    nonce: options.nonce ?? false,
    clock,
    log: options.log ?? (() => undefined),
  }
}

function resolveStatusList(option: NonNullable<IssuerOptions['statusList']>): Settings['statusList'] {
  if (option === false) return undefined
  const { ttl = 15, size = 131_072, ...unknown } = option === true ? {} : option
  const isTtl = Number.isInteger(ttl) && ttl >= 1 && ttl <= 300
  const isSize = Number.isInteger(size) && size >= 8192 && size <= 2 ** 22 && size % 8192 === 0
  if (isTtl && isSize && Object.keys(unknown).length === 0) return { ttl, size }
  throw new TypeError(
    'issuer: statusList: expected a boolean or { ttl: 1 to 300, size: a multiple of 8192 to 4194304 }',
  )
}

/** RFC 8707 §2: an absolute URI without fragment; here also one that somebody can be reached at. */
export function isResource(resource: string): boolean {
  if (resource.includes('#') || !URL.canParse(resource)) return false
  return /^https?:$/.test(new URL(resource).protocol)
}

function createClock(clock: () => number = () => Date.now() / 1000): () => number {
  return () => {
    const reading = clock()
    return reading > 1e11 ? reading / 1000 : reading
  }
}
