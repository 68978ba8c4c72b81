import { resolveSchemes } from './authorize/redirect-schemes.ts'
import { createClock } from './clock.ts'
import {
  type IdentityProvider,
  resolveProviders,
  type TrustedIdentityProvider,
} from './identity-providers/options.ts'
import { requireKnownOptions } from './known-options.ts'
import { memoryStore } from './memory-store.ts'
import { randomSecret } from './random.ts'
import { GRANT_TYPES, JWT_BEARER } from './registration/client-metadata.ts'
import { type RegistrationPolicy, type RegistrationSettings, resolvePolicy } from './registration/policy.ts'
import { requireClients, type SeedClient } from './seed.ts'
import { SIGNING_ALGORITHMS, type SigningAlgorithm } from './signing-keys.ts'
import type { IssuerStore } from './store.ts'
import { isResource } from './target.ts'
import { resolveUsers, type User, type UserOptions, type Users } from './users/users.ts'

const DAY = 86_400

/** Options of an issuer. Durations in seconds. Unknown keys are an error. */
export interface IssuerOptions {
  /** The issuer identifier, as clients reach it. `startIssuer` derives it from where it listens. */
  readonly issuer?: string
  /** The admin key. Default: a new one, `sk_live_…`; instances with one store should be given the same. */
  readonly adminKey?: string
  /** Lifetime of access tokens. Default 300. */
  readonly tokenLifetime?: number
  /** Lifetime of refresh tokens and remembered consents, from their last use. Default 14 days. */
  readonly refreshTokenLifetime?: number
  /** `typ` of access tokens. Default `'at+jwt'` (RFC 9068); `'JWT'` as SharkAuth's. */
  readonly tokenType?: 'at+jwt' | 'JWT'
  /** Algorithms that there are signing keys for; the first signs access tokens. Default `['ES256']`. */
  readonly algorithms?: readonly SigningAlgorithm[]
  /** How long a key signs until the next one does. Default 30 days. */
  readonly keyLifetime?: number
  /** Resources that tokens may be asked for. Default: any absolute http(s) URI without fragment. */
  readonly resources?: readonly string[]
  /** The audience where a request names none. Default: such a request is refused with `invalid_target`. */
  readonly defaultResource?: string
  /** Where everything is kept. Default: in memory. */
  readonly store?: IssuerStore
  /** Clients that may register themselves, and what for. Default `'open'`: anybody, for any scope, within limits. */
  readonly registration?: 'open' | 'closed' | RegistrationPolicy
  /**
   * Clients whose id is the URL of a document about them. `'public'`: documents are fetched by https, from public
   * addresses only; `'loopback'`: from this machine and by http too, for tests. Default `'public'`.
   */
  readonly clientMetadataDocuments?: 'public' | 'loopback' | 'off'
  /**
   * Private-use schemes without a period that redirect URIs may have (`'cursor'`), beside those with one, which always may
   * (RFC 8252 §7.1). Default: none.
   */
  readonly redirectSchemes?: readonly string[]
  /**
   * Identity providers that may sign users in for clients (Identity Assertion JWT Authorization Grant, in MCP
   * Enterprise-Managed Authorization). Default: none, and there is no `jwt-bearer` grant.
   */
  readonly trustedIdentityProviders?: readonly TrustedIdentityProvider[]
  /** Clients that are known from the start. Those that the store knows already stay as they are. */
  readonly clients?: readonly SeedClient[]
  /** Who can log in, for tests and development. Default: nobody. */
  readonly users?: readonly UserOptions[]
  /**
   * Grants every authorization request at once, without asking, in the name of a user: `true` for the first of `users`
   * (`usr_test` without any), or a username. For unattended tests only. Default: the user is asked.
   */
  readonly autoApprove?: boolean | string
  /** The address of whom a request comes from, to count registrations and log-ins by. `startIssuer` knows it by itself. */
  readonly clientAddress?: (request: Request) => string | undefined
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
  /** The issuer without a slash at its end: endpoints are this and a path. */
  readonly base: string
  readonly adminKey: string
  readonly tokenLifetime: number
  readonly refreshTokenLifetime: number
  /** How long anything that can be revoked may live: so long are rules kept. */
  readonly longestLife: number
  readonly tokenType: 'at+jwt' | 'JWT'
  readonly algorithms: readonly SigningAlgorithm[]
  readonly keyLifetime: number
  readonly resources: readonly string[] | undefined
  readonly defaultResource: string | undefined
  readonly store: IssuerStore
  readonly registration: RegistrationSettings
  readonly clientMetadataDocuments: 'public' | 'loopback' | 'off'
  readonly redirectSchemes: ReadonlySet<string>
  readonly trustedIdentityProviders: readonly IdentityProvider[]
  readonly grantTypes: readonly string[]
  readonly clients: readonly SeedClient[]
  readonly users: Users
  /** The user in whose name everything is approved without asking. */
  readonly approver: User | undefined
  readonly clientAddress: (request: Request) => string | undefined
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
  algorithms: true,
  keyLifetime: true,
  resources: true,
  defaultResource: true,
  store: true,
  registration: true,
  clientMetadataDocuments: true,
  redirectSchemes: true,
  trustedIdentityProviders: true,
  clients: true,
  users: true,
  autoApprove: true,
  clientAddress: true,
  statusList: true,
  nonce: true,
  clock: true,
  log: true,
}

const FUNCTIONS = ['clock', 'log', 'clientAddress'] as const

const wrong = (option: string, expected: string) => new TypeError(`issuer: ${option}: expected ${expected}`)

/** Checks everything that can be wrong, at start-up. @throws TypeError naming the option and what was expected */
export function resolveOptions(options: IssuerOptions): Settings {
  requireKnownOptions(undefined, options, OPTIONS)
  for (const name of FUNCTIONS) {
    if (options[name] !== undefined && typeof options[name] !== 'function') throw wrong(name, 'a function')
  }
  if (options.store !== undefined && typeof options.store?.appendRules !== 'function') {
    throw wrong('store', 'an IssuerStore: memoryStore(), or redisIssuerStore(client) of @sharkguard/redis')
  }
  const { issuer = 'http://localhost:8080', adminKey = `sk_live_${randomSecret()}` } = options
  const url = URL.canParse(issuer) ? new URL(issuer) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '') {
    throw wrong('issuer', 'an http(s) URL without query or fragment (RFC 8414 §2)')
  }
  if (typeof adminKey !== 'string' || !/^[\x21-\x7e]{8,}$/.test(adminKey)) {
    throw wrong('adminKey', 'at least 8 printable ASCII characters without spaces')
  }
  const { tokenType = 'at+jwt', nonce = false, algorithms = ['ES256'] } = options
  if (!['at+jwt', 'JWT'].includes(tokenType)) throw wrong('tokenType', "'at+jwt' or 'JWT'")
  if (typeof nonce !== 'boolean') throw wrong('nonce', 'true or false')
  const isKnown = (algorithm: SigningAlgorithm) => SIGNING_ALGORITHMS.includes(algorithm)
  if (!Array.isArray(algorithms) || algorithms.length === 0 || !algorithms.every(isKnown)) {
    throw wrong('algorithms', `some of ${SIGNING_ALGORITHMS.join(', ')}`)
  }
  const { clientMetadataDocuments = 'public', resources, defaultResource } = options
  if (!['public', 'loopback', 'off'].includes(clientMetadataDocuments)) {
    throw wrong('clientMetadataDocuments', "'public', 'loopback' or 'off'")
  }
  if (resources !== undefined && !(Array.isArray(resources) && resources.every(isResource))) {
    throw wrong('resources', 'a list of absolute http(s) URIs without fragment')
  }
  if (defaultResource !== undefined && !isResource(defaultResource)) {
    throw wrong('defaultResource', 'an absolute http(s) URI without fragment')
  }
  const refreshTokenLifetime = seconds(options, 'refreshTokenLifetime', 14 * DAY, 366 * DAY)
  const clock = createClock(options.clock)
  const trustedIdentityProviders = resolveProviders(options.trustedIdentityProviders, issuer)
  const rules = {
    redirectSchemes: resolveSchemes(options.redirectSchemes),
    grantTypes: trustedIdentityProviders.length > 0 ? [...GRANT_TYPES, JWT_BEARER] : GRANT_TYPES,
  }
  return {
    issuer,
    base: issuer.replace(/\/$/, ''),
    adminKey,
    tokenLifetime: seconds(options, 'tokenLifetime', 300, DAY),
    refreshTokenLifetime,
    longestLife: Math.max(DAY, refreshTokenLifetime),
    tokenType,
    algorithms: [...new Set(algorithms)],
    keyLifetime: seconds(options, 'keyLifetime', 30 * DAY, Number.MAX_SAFE_INTEGER, 3600),
    resources,
    defaultResource,
    store: options.store ?? memoryStore({ clock }),
    registration: resolvePolicy(options.registration),
    clientMetadataDocuments,
    trustedIdentityProviders,
    ...rules,
    clients: requireClients(options.clients, rules),
    ...resolveUsers(options.users, options.autoApprove),
    clientAddress: options.clientAddress ?? (() => undefined),
    statusList: resolveStatusList(options.statusList ?? true),
    nonce,
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
  throw wrong('statusList', 'a boolean or { ttl: 1 to 300, size: a multiple of 8192 to 4194304 }')
}

function seconds(
  options: IssuerOptions,
  name: 'tokenLifetime' | 'refreshTokenLifetime' | 'keyLifetime',
  fallback: number,
  most: number,
  least = 1,
): number {
  const value = options[name] ?? fallback
  if (Number.isFinite(value) && value >= least && value <= most) return value
  throw wrong(name, `${least} to ${most} seconds`)
}
