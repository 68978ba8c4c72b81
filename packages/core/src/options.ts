import { SIGNATURE_ALGORITHMS, type SignatureAlgorithm } from './algorithms.ts'
import type { DpopPolicy } from './confirmation.ts'
import type { Decision } from './decision.ts'
import type { NonceOptions } from './dpop/nonce.ts'
import type { ReplayStore } from './dpop/replay.ts'
import { readEnvironment } from './environment.ts'
import { requireKnownOptions } from './known-options.ts'
import { PROFILES, type Profile } from './profile.ts'
import { ConfigurationError } from './refusal.ts'
import { resourceMetadataUrl } from './resource-metadata.ts'
import type { RevocationSource } from './revocation/source.ts'
import { type ImpliesScope, isSameScope, isScope } from './scopes.ts'

/** One trusted issuer: its identifier, or the identifier and what differs from the defaults. */
export type IssuerOption =
  | string
  | {
      /** Issuer identifier (RFC 8414 §2), compared exactly with `iss`: mind a trailing slash. */
      readonly issuer: string
      /**
       * Where the keys are. Default: discovered from the issuer's metadata. Given, nothing else is discovered, and so
       * `revocation: 'auto'` finds nothing: name a source with its URL.
       */
      readonly jwksUri?: string
      /** Default: the guard's `algorithms`. */
      readonly algorithms?: readonly SignatureAlgorithm[]
      /** What its access tokens look like. Default: `'default'`. */
      readonly profile?: Profile
    }

/** Options of a guard, the same in every adapter. Durations in seconds. Unknown keys are a {@link ConfigurationError}. */
export interface GuardOptions {
  /**
   * Who may issue tokens for this resource. Default: `SHARK_URL` from the environment, else `http://localhost:8080`
   * unless `NODE_ENV` is `production`, where it must be said.
   */
  readonly issuer?: IssuerOption | readonly IssuerOption[]
  /**
   * `'required'` (default): every token must be bound to a key and come with a proof of it. `'when-bound'`: unbound
   * tokens may come as Bearer. A bound token needs its proof either way; nothing turns that off.
   */
  readonly dpop?: DpopPolicy
  /** Scopes needed on every request. Default: none. */
  readonly scopes?: readonly string[]
  /**
   * Whether a granted scope covers a needed one, where scopes form a hierarchy (MCP authorization, scope challenges):
   * `(granted, needed) => granted === needed || needed.startsWith(`${granted}:`)`. Default: they are the same. What it throws
   * is a 503.
   */
  readonly impliesScope?: ImpliesScope
  /**
   * Public origin, with the path prefix that a proxy strips, that `htu` is compared with (RFC 9449 §4.3 (9)). Default:
   * the audience's origin. `Host` and `X-Forwarded-*` are never looked at.
   */
  readonly publicUrl?: string
  /** Algorithms accepted for tokens. Default: all of {@link SIGNATURE_ALGORITHMS}. */
  readonly algorithms?: readonly SignatureAlgorithm[]
  /** Algorithms accepted for proofs. Default: `algorithms` without RS*. ES256 always is. */
  readonly proofAlgorithms?: readonly SignatureAlgorithm[]
  /** How old a proof may be by its `iat`, at most 300. Default 60. */
  readonly proofMaxAge?: number
  /** How far ahead the clock of whoever set `iat` or `nbf` may be, at most 300. Default 10. `exp` is exact. */
  readonly clockTolerance?: number
  /**
   * Demands DPoP nonces (RFC 9449 §9). Default: off, but for the first `clockTolerance` seconds of a process in production
   * (`NODE_ENV`) with no `replayStore`: proofs dated before its start must carry a nonce, since it cannot know which of
   * them the process before it has accepted.
   */
  readonly nonce?: boolean | NonceOptions
  /** Remembers used proofs. Default: in the memory of this process, see `memoryReplayStore`. */
  readonly replayStore?: ReplayStore
  /**
   * How revocations are learnt. Default `'auto'`: from what an issuer's metadata advertises, `revocationList()` or else
   * `statusList()`; nothing where it advertises neither.
   */
  readonly revocation?: 'auto' | 'off' | RevocationSource | readonly RevocationSource[]
  /** Further members of the resource's metadata (RFC 9728 §2). They cannot replace what the guard derives. */
  readonly resourceMetadata?: Readonly<Record<string, unknown>>
  /**
   * Called with each decision. Never sees a token or a proof. What it throws is ignored: a log that fails must not
   * decide anything.
   */
  readonly onDecision?: (decision: Decision) => void
  /** Seconds since the epoch. Default: the system's clock. A value only milliseconds can reach is taken as such. */
  readonly clock?: () => number
  /** For tests and special networks. Default: the global one. */
  readonly fetch?: typeof fetch
}

/** {@link GuardOptions} with everything decided. */
export interface Settings {
  /** The canonical audience. */
  readonly audience: string
  readonly audiences: readonly string[]
  /** Those of them that are URIs. */
  readonly resources: readonly string[]
  readonly issuers: readonly {
    readonly issuer: string
    readonly jwksUri: string | undefined
    readonly algorithms: readonly SignatureAlgorithm[]
    readonly profile: Profile
  }[]
  readonly dpop: DpopPolicy
  readonly scopes: readonly string[]
  readonly impliesScope: ImpliesScope
  readonly publicOrigin: string
  /** Put before the request path to make the target URI: the public origin and what a proxy strips. */
  readonly publicPrefix: string
  readonly resourceMetadataUrl: string
  readonly proofAlgorithms: readonly SignatureAlgorithm[]
  readonly proofMaxAge: number
  readonly clockTolerance: number
  readonly nonce: NonceOptions
  /**
   * Proofs dated up to this second must carry a nonce: Infinity where `nonce` is on; -Infinity where it is off and nothing
   * can have been forgotten.
   */
  readonly nonceNeededUntil: number
  readonly replayStore: ReplayStore | undefined
  readonly revocation: 'auto' | readonly RevocationSource[]
  readonly resourceMetadata: Readonly<Record<string, unknown>>
  readonly onDecision: ((decision: Decision) => void) | undefined
  readonly clock: () => number
  readonly fetch: typeof fetch
}

/** The values that hold where an option is not given. */
export const DEFAULTS = Object.freeze({
  dpop: 'required',
  scopes: [],
  algorithms: SIGNATURE_ALGORITHMS,
  proofMaxAge: 60,
  clockTolerance: 10,
  nonce: false,
  revocation: 'auto',
}) satisfies GuardOptions

const DEVELOPMENT_ISSUER = 'http://localhost:8080'
const LONGEST = 300
/** Derived, and not to be said differently by `resourceMetadata`. */
const DERIVED_METADATA = [
  'resource',
  'authorization_servers',
  'bearer_methods_supported',
  'dpop_signing_alg_values_supported',
  'dpop_bound_access_tokens_required',
]
const OPTIONS: Record<keyof GuardOptions, true> = {
  issuer: true,
  dpop: true,
  scopes: true,
  impliesScope: true,
  publicUrl: true,
  algorithms: true,
  proofAlgorithms: true,
  proofMaxAge: true,
  clockTolerance: true,
  nonce: true,
  replayStore: true,
  revocation: true,
  resourceMetadata: true,
  onDecision: true,
  clock: true,
  fetch: true,
}

/** Checks everything that can be wrong with a guard's configuration, at start-up. @throws ConfigurationError */
export function resolveOptions(audience: string | readonly string[], options: GuardOptions): Settings {
  if (typeof options !== 'object' || options === null)
    throw new ConfigurationError('options', 'expected an object')
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(OPTIONS, name)) {
      throw new ConfigurationError(name, `unknown option; known are ${Object.keys(OPTIONS).join(', ')}`)
    }
    // Could mean the default as well as nothing at all, which for `revocation` are opposites.
    if (value === null) throw new ConfigurationError(name, 'expected a value; left out it is the default')
  }
  const audiences = resolveAudiences(audience)
  const canonical = audiences[0] as string
  const publicUrl = resolvePublicUrl(canonical, options.publicUrl)
  const algorithms = resolveAlgorithms('algorithms', options.algorithms ?? DEFAULTS.algorithms)
  const dpop = options.dpop ?? DEFAULTS.dpop
  if (dpop !== 'required' && dpop !== 'when-bound') {
    throw new ConfigurationError(
      'dpop',
      "expected 'required' or 'when-bound'; a bound token always needs its proof",
    )
  }
  const clock = resolveClock(options.clock)
  const clockTolerance = resolveSeconds(
    'clockTolerance',
    options.clockTolerance ?? DEFAULTS.clockTolerance,
    0,
  )
  return Object.freeze({
    audience: canonical,
    audiences,
    resources: audiences.filter((uri) => URL.canParse(uri)),
    issuers: resolveIssuers(options.issuer, algorithms),
    dpop,
    scopes: resolveScopes(options.scopes ?? DEFAULTS.scopes),
    impliesScope: resolveFunction('impliesScope', options.impliesScope) ?? isSameScope,
    publicOrigin: publicUrl.origin,
    publicPrefix: publicUrl.origin + publicUrl.pathname.replace(/\/$/, ''),
    resourceMetadataUrl: resourceMetadataUrl(parseHttpUrl(canonical) ? canonical : publicUrl.href),
    proofAlgorithms: resolveProofAlgorithms(options.proofAlgorithms, algorithms),
    proofMaxAge: resolveSeconds('proofMaxAge', options.proofMaxAge ?? DEFAULTS.proofMaxAge, 1),
    clockTolerance,
    nonce: resolveNonce(options.nonce),
    nonceNeededUntil: nonceNeededUntil(options, Math.floor(clock()) + clockTolerance),
    replayStore: resolveReplayStore(options.replayStore),
    revocation: resolveRevocation(options.revocation ?? DEFAULTS.revocation),
    resourceMetadata: resolveResourceMetadata(options.resourceMetadata),
    onDecision: resolveFunction('onDecision', options.onDecision),
    clock,
    fetch: resolveFunction('fetch', options.fetch) ?? ((...args) => fetch(...args)),
  })
}

function resolveAudiences(audience: string | readonly string[]): readonly string[] {
  const audiences = Array.isArray(audience) ? [...audience] : [audience]
  if (audiences.length === 0) throw new ConfigurationError('audience', 'expected at least one URI')
  for (const [index, uri] of audiences.entries()) {
    // The URL parser forgives white space; the exact comparison with `aud` does not.
    const isUri = typeof uri === 'string' && URL.canParse(uri) && !/\s/.test(uri)
    if (!isUri && !(index > 0 && isBareName(uri))) {
      throw new ConfigurationError(
        'audience',
        "expected the resource's canonical URI as it stands in aud, such as https://mcp.example.com/mcp",
      )
    }
    if (uri.includes('#')) throw new ConfigurationError('audience', 'must have no fragment (RFC 8707 §2)')
  }
  return Object.freeze(audiences)
}

/** RFC 7519 §2 StringOrURI: an alias may be a name, such as the GUIDs of Entra; what has `:` must be a URI. */
function isBareName(alias: unknown): boolean {
  return typeof alias === 'string' && /^[^\s:/?#]+$/.test(alias)
}

function resolvePublicUrl(audience: string, publicUrl: string | undefined): URL {
  const url = parseHttpUrl(publicUrl ?? audience)
  if (url === undefined) {
    const expected = 'expected the public http(s) origin of this resource'
    throw new ConfigurationError(
      'publicUrl',
      publicUrl === undefined ? `${expected}, since the audience is no http(s) URL` : expected,
    )
  }
  if (publicUrl === undefined) return new URL(url.origin)
  if (url.search !== '' || url.hash !== '')
    throw new ConfigurationError('publicUrl', 'must have no query or fragment')
  return url
}

function resolveIssuers(option: GuardOptions['issuer'], algorithms: readonly SignatureAlgorithm[]) {
  const environment = readEnvironment()
  const given = option ?? environment.issuer ?? (environment.production ? undefined : DEVELOPMENT_ISSUER)
  if (given === undefined) {
    throw new ConfigurationError(
      'issuer',
      'expected the URL of an issuer, here or in SHARK_URL; in production there is no default',
    )
  }
  const issuers = (Array.isArray(given) ? (given as readonly IssuerOption[]) : [given as IssuerOption]).map(
    (entry) => {
      const issuer = typeof entry === 'string' ? { issuer: entry } : entry
      if (typeof issuer !== 'object' || issuer === null)
        throw new ConfigurationError('issuer', 'expected a URL')
      requireKnownOptions('issuer', issuer, ['issuer', 'jwksUri', 'algorithms', 'profile'])
      const profile = issuer.profile ?? 'default'
      if (!PROFILES.includes(profile))
        throw new ConfigurationError('issuer.profile', `expected ${PROFILES.join(', ')}`)
      requireTrustworthyUrl('issuer', issuer.issuer, environment.production)
      if (issuer.jwksUri !== undefined)
        requireTrustworthyUrl('issuer.jwksUri', issuer.jwksUri, environment.production)
      return {
        issuer: issuer.issuer,
        jwksUri: issuer.jwksUri,
        algorithms: resolveAlgorithms('issuer.algorithms', issuer.algorithms ?? algorithms),
        profile,
      }
    },
  )
  if (issuers.length === 0) throw new ConfigurationError('issuer', 'expected at least one issuer')
  if (new Set(issuers.map(({ issuer }) => issuer)).size < issuers.length) {
    throw new ConfigurationError('issuer', 'each issuer must be given once')
  }
  return issuers
}

/** RFC 8414 §2: https, no query, no fragment. Plain http only where nobody is in between, or outside production. */
function requireTrustworthyUrl(option: string, text: string, production: boolean): void {
  const url = parseHttpUrl(text)
  if (url === undefined || url.hash !== '' || (option === 'issuer' && url.search !== '')) {
    throw new ConfigurationError(option, 'expected an http(s) URL without query or fragment')
  }
  const loopback = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(url.hostname)
  if (url.protocol === 'http:' && production && !loopback) {
    throw new ConfigurationError(option, 'expected https; in production http is for loopback alone')
  }
}

function resolveAlgorithms(
  option: string,
  algorithms: readonly SignatureAlgorithm[],
): readonly SignatureAlgorithm[] {
  if (!Array.isArray(algorithms) || algorithms.length === 0) {
    throw new ConfigurationError(option, "expected a list of algorithms, such as ['ES256', 'RS256']")
  }
  for (const algorithm of algorithms) {
    if (!SIGNATURE_ALGORITHMS.includes(algorithm)) {
      throw new ConfigurationError(
        option,
        `expected asymmetric algorithms among ${SIGNATURE_ALGORITHMS.join(', ')}`,
      )
    }
  }
  return Object.freeze([...algorithms])
}

function resolveProofAlgorithms(
  option: readonly SignatureAlgorithm[] | undefined,
  algorithms: readonly SignatureAlgorithm[],
): readonly SignatureAlgorithm[] {
  const given = option ?? algorithms.filter((algorithm) => !algorithm.startsWith('RS'))
  if (!Array.isArray(given)) throw new ConfigurationError('proofAlgorithms', 'expected a list of algorithms')
  // MCP clients do not negotiate: whatever else is accepted, ES256 is.
  return resolveAlgorithms('proofAlgorithms', [...new Set<SignatureAlgorithm>(['ES256', ...given])])
}

function resolveScopes(scopes: readonly string[]): readonly string[] {
  if (!Array.isArray(scopes) || !scopes.every(isScope)) {
    throw new ConfigurationError('scopes', 'expected a list of scope names without spaces or quotes')
  }
  return Object.freeze([...scopes])
}

export function resolveSeconds(option: string, seconds: number, least: number): number {
  if (!Number.isFinite(seconds) || seconds < least || seconds > LONGEST) {
    throw new ConfigurationError(option, `expected ${least} to ${LONGEST} seconds`)
  }
  return seconds
}

/**
 * A process with a store of its own does not know what the one before it accepted, which was dated `boot` at most. A nonce
 * of this process shows that a proof was made after that. Outside production proofs may be made by hand, without one.
 */
function nonceNeededUntil({ nonce = DEFAULTS.nonce, replayStore }: GuardOptions, boot: number): number {
  if (nonce !== false) return Number.POSITIVE_INFINITY
  return replayStore === undefined && readEnvironment().production ? boot : Number.NEGATIVE_INFINITY
}

function resolveNonce(nonce: GuardOptions['nonce'] = DEFAULTS.nonce): NonceOptions {
  if (typeof nonce === 'boolean') return {}
  if (typeof nonce !== 'object' || nonce === null) {
    throw new ConfigurationError('nonce', 'expected true or { secrets, lifetime }')
  }
  requireKnownOptions('nonce', nonce, ['secrets', 'lifetime'])
  const { secrets, lifetime } = nonce
  if (lifetime !== undefined) resolveSeconds('nonce.lifetime', lifetime, 1)
  if (secrets !== undefined) {
    const strong = (secret: unknown) => typeof secret === 'string' && secret.length >= 32
    if (!Array.isArray(secrets) || secrets.length === 0 || !secrets.every(strong)) {
      throw new ConfigurationError('nonce.secrets', 'expected a list of secrets of at least 32 characters')
    }
  }
  return nonce
}

function resolveReplayStore(store: ReplayStore | undefined): ReplayStore | undefined {
  if (store !== undefined && typeof store?.claim !== 'function') {
    throw new ConfigurationError('replayStore', 'expected an object with claim(key, expiresAt)')
  }
  return store
}

function resolveRevocation(option: NonNullable<GuardOptions['revocation']>): Settings['revocation'] {
  if (option === 'auto') return 'auto'
  if (option === 'off') return []
  const sources = Array.isArray(option)
    ? (option as readonly RevocationSource[])
    : [option as RevocationSource]
  if (sources.length === 0)
    throw new ConfigurationError('revocation', "expected at least one source; 'off' says none")
  if (!sources.every((source) => typeof source?.open === 'function')) {
    throw new ConfigurationError('revocation', "expected 'auto', 'off', a RevocationSource or a list of them")
  }
  return sources
}

function resolveResourceMetadata(members: GuardOptions['resourceMetadata']) {
  if (members === undefined) return {}
  if (typeof members !== 'object' || members === null || Array.isArray(members)) {
    throw new ConfigurationError('resourceMetadata', 'expected an object')
  }
  for (const name of DERIVED_METADATA) {
    if (name in members)
      throw new ConfigurationError(`resourceMetadata.${name}`, 'is derived and cannot be set')
  }
  try {
    JSON.stringify(members)
  } catch {
    throw new ConfigurationError('resourceMetadata', 'expected what JSON can express')
  }
  return members
}

function resolveFunction<F>(option: string, value: F | undefined): F | undefined {
  if (value !== undefined && typeof value !== 'function')
    throw new ConfigurationError(option, 'expected a function')
  return value
}

/** Past this, a reading can only be in milliseconds: in seconds it is the year 5138. */
const MILLISECONDS = 1e11

export function resolveClock(clock: (() => number) | undefined): () => number {
  if (clock === undefined) return () => Date.now() / 1000
  resolveFunction('clock', clock)
  if (!Number.isFinite(clock())) throw new ConfigurationError('clock', 'expected seconds since the epoch')
  return () => {
    const reading = clock()
    // Nothing is later than NaN: it would make every token young.
    if (!Number.isFinite(reading)) throw new TypeError('clock: expected seconds since the epoch')
    return reading > MILLISECONDS ? reading / 1000 : reading
  }
}

export function parseHttpUrl(text: unknown): URL | undefined {
  if (typeof text !== 'string' || !URL.canParse(text)) return undefined
  const url = new URL(text)
  const isPlain = url.username === '' && url.password === ''
  return (url.protocol === 'https:' || url.protocol === 'http:') && isPlain ? url : undefined
}
