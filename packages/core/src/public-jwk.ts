import type { JWK } from 'jose'
import { sha256 } from '#runtime'
import { isCanonicalBase64url } from './base64url.ts'
import type { JsonObject } from './json.ts'

/** Members of private and symmetric keys (RFC 7518 §6.2.2, §6.3.2, §6.4); none may be there, whatever its value. */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const

/** base64url length of a coordinate, which fixes its octets (RFC 7518 §6.2.1.2). */
const COORDINATE_LENGTH: Record<string, number> = { 'P-256': 43, 'P-384': 64, 'P-521': 88 }

/** Modulus of 2048 to 4096 bits, in base64url characters. */
const MIN_MODULUS_LENGTH = 342
const MAX_MODULUS_LENGTH = 683

/**
 * Points of Ed25519 whose order is 1, 2, 4 or 8, in each of their spellings, without the last octet, which has the sign. A
 * signature by them takes no private key: one that never changes is right for every text, or for one in a few.
 */
const SMALL_ORDER: ReadonlySet<string> = new Set([
  `AQ${'A'.repeat(39)}`,
  'A'.repeat(41),
  `7P${'_'.repeat(39)}`,
  `7f${'_'.repeat(39)}`,
  `7v${'_'.repeat(39)}`,
  'xxdqcD1N2E-6PAt2DRBnDyogU_osOczGTsf9d5KsA',
  'JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_',
])

/** The required members of a public key alone, in the order of RFC 7638 §3.2. */
export type PublicJwk =
  | { readonly crv: string; readonly kty: 'EC'; readonly x: string; readonly y: string }
  | { readonly e: string; readonly kty: 'RSA'; readonly n: string }
  | { readonly crv: 'Ed25519'; readonly kty: 'OKP'; readonly x: string }

/**
 * Reads an acceptable public key: asymmetric, no private member, each number in its one canonical spelling, RSA of 2048
 * to 4096 bits, no point of small order. A second spelling of a key would have a second thumbprint, and a way round whatever is keyed by it.
 */
export function parsePublicJwk(jwk: JsonObject): PublicJwk | undefined {
  for (const member of PRIVATE_MEMBERS) if (member in jwk) return undefined
  const { kty, crv, x, y, n, e } = jwk
  switch (kty) {
    case 'EC': {
      const length =
        typeof crv === 'string' && Object.hasOwn(COORDINATE_LENGTH, crv) ? COORDINATE_LENGTH[crv] : undefined
      if (length === undefined || !isNumber(x, length) || !isNumber(y, length)) return undefined
      return { crv: crv as string, kty, x, y }
    }
    case 'OKP':
      return crv === 'Ed25519' && isNumber(x, 43) && !SMALL_ORDER.has(x.slice(0, 41))
        ? { crv, kty, x }
        : undefined
    case 'RSA':
      return isModulus(n) && isExponent(e) ? { e, kty, n } : undefined
    default:
      return undefined
  }
}

/** RFC 7638 §3 thumbprint, SHA-256, base64url. */
export function thumbprint(jwk: PublicJwk): string | Promise<string> {
  switch (jwk.kty) {
    case 'EC':
      return sha256(`{"crv":"${jwk.crv}","kty":"EC","x":"${jwk.x}","y":"${jwk.y}"}`)
    case 'OKP':
      return sha256(`{"crv":"${jwk.crv}","kty":"OKP","x":"${jwk.x}"}`)
    case 'RSA':
      return sha256(`{"e":"${jwk.e}","kty":"RSA","n":"${jwk.n}"}`)
  }
}

/** Members that say what an issuer's key is for (RFC 7517 §4.2, §4.3). */
export function isForVerification(jwk: JWK): boolean {
  if (jwk.use !== undefined && jwk.use !== 'sig') return false
  return jwk.key_ops === undefined || (Array.isArray(jwk.key_ops) && jwk.key_ops.includes('verify'))
}

function isNumber(text: unknown, length: number): text is string {
  return typeof text === 'string' && text.length === length && isCanonicalBase64url(text)
}

/** Minimal octets: a leading zero octet would be another spelling (RFC 7518 §6.3.1.1). */
function isModulus(text: unknown): text is string {
  if (typeof text !== 'string' || text.length < MIN_MODULUS_LENGTH || text.length > MAX_MODULUS_LENGTH)
    return false
  // 256 octets are 2048 bits only when the first bit is one.
  if (text.length === MIN_MODULUS_LENGTH && /^[A-Za-f]/.test(text)) return false
  return isCanonicalBase64url(text) && !startsWithZeroOctet(text)
}

/** Odd, at least 3, at most 32 bits. */
function isExponent(text: unknown): text is string {
  if (typeof text !== 'string' || text.length < 2 || text.length > 6) return false
  if (!isCanonicalBase64url(text) || startsWithZeroOctet(text)) return false
  return text !== 'AQ' && isOddExponent(text)
}

function startsWithZeroOctet(text: string): boolean {
  return text[0] === 'A' && 'ABCDEFGHIJKLMNOP'.includes(text.charAt(1))
}

function isOddExponent(text: string): boolean {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const last = alphabet.indexOf(text.charAt(text.length - 1))
  const unused = text.length % 4 === 2 ? 4 : text.length % 4 === 3 ? 2 : 0
  return ((last >> unused) & 1) === 1
}
