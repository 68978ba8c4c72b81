import { ASSERTION_ALGORITHMS } from '../client-assertion.ts'
import { requireKnownOptions } from '../known-options.ts'
import { isLoopbackHost } from '../loopback.ts'

/** An identity provider whose word on who a user is, and what for, is taken: with all of its options JSON. */
export interface TrustedIdentityProvider {
  /** Its issuer identifier, compared exactly with `iss`. https, or http on a loopback address. */
  readonly issuer: string
  /** Where its keys are. Default: what its metadata says (RFC 8414, OpenID Connect Discovery). */
  readonly jwksUri?: string
  /** Algorithms that it signs with. Default: any asymmetric one. */
  readonly algorithms?: readonly string[]
  /**
   * Put before its `sub` to make ours. Default: nothing, so a user here with the same id is the same person. Several
   * providers need prefixes that tell their users apart.
   */
  readonly subjectPrefix?: string
}

/** The same, in which everything has been checked. */
export interface IdentityProvider {
  readonly issuer: string
  readonly jwksUri: URL | undefined
  readonly algorithms: readonly string[]
  readonly subjectPrefix: string
  /** It is on this machine, for tests. */
  readonly loopback: boolean
}

const OPTIONS: Record<keyof TrustedIdentityProvider, true> = {
  issuer: true,
  jwksUri: true,
  algorithms: true,
  subjectPrefix: true,
}

const wrong = (problem: string, member = '') =>
  new TypeError(`issuer: trustedIdentityProviders${member}: ${problem}`)

/**
 * @param ourselves the issuer identifier: what we assert ourselves is no grant of ours
 * @throws TypeError naming the option and what was expected
 */
export function resolveProviders(option: unknown = [], ourselves: string): readonly IdentityProvider[] {
  if (!Array.isArray(option)) throw wrong('expected a list of { issuer, jwksUri, algorithms, subjectPrefix }')
  const providers = option.map(resolveProvider)
  for (const [at, one] of providers.entries()) {
    if (one.issuer === ourselves) throw wrong('an issuer cannot be its own identity provider')
    for (const other of providers.slice(0, at)) {
      if (other.issuer === one.issuer) throw wrong(`${one.issuer} is there twice`)
      const [shorter, longer] = [one.subjectPrefix, other.subjectPrefix].sort((a, b) => a.length - b.length)
      if (longer?.startsWith(shorter as string)) {
        throw wrong('expected one for each, none of which another begins with', '.subjectPrefix')
      }
    }
  }
  return providers
}

function resolveProvider(option: unknown): IdentityProvider {
  requireKnownOptions('trustedIdentityProviders', option as object, OPTIONS)
  const { issuer, jwksUri, algorithms, subjectPrefix = '' } = option as TrustedIdentityProvider
  const url = endpoint(issuer, 'issuer')
  if (url.search !== '') throw wrong('expected a URL without query', '.issuer')
  const keys = jwksUri === undefined ? undefined : endpoint(jwksUri, 'jwksUri')
  const isKnown = (algorithm: unknown) => ASSERTION_ALGORITHMS.includes(algorithm as string)
  if (
    algorithms !== undefined &&
    !(Array.isArray(algorithms) && algorithms.length > 0 && algorithms.every(isKnown))
  ) {
    throw wrong(`expected some of ${ASSERTION_ALGORITHMS.join(', ')}`, '.algorithms')
  }
  if (typeof subjectPrefix !== 'string' || !/^[\x21-\x7e]{0,100}$/.test(subjectPrefix)) {
    throw wrong('expected at most 100 characters of printable ASCII, no spaces', '.subjectPrefix')
  }
  const loopback = isLoopbackHost(keys ?? url)
  return { issuer, jwksUri: keys, algorithms: algorithms ?? ASSERTION_ALGORITHMS, subjectPrefix, loopback }
}

function endpoint(value: unknown, name: string): URL {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined
  const isSecure = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopbackHost(url))
  if (url === undefined || !isSecure || url.hash !== '' || url.username !== '' || url.password !== '') {
    throw wrong('expected an https URL without fragment, or http on a loopback address', `.${name}`)
  }
  return url
}
