import { calculateJwkThumbprint, EmbeddedJWK, type JWK, jwtVerify } from 'jose'
import { OAuthError } from './errors.ts'
import { sha256 } from './random.ts'
import type { IssuerStore } from './store.ts'

/** Algorithms for proofs; asymmetric only (RFC 9449 §5.1). */
export const PROOF_ALGORITHMS = [
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
  'PS256',
  'PS384',
  'PS512',
  'RS256',
]

const MAX_AGE = 60
const TOLERANCE = 10
/** Longer than any clock is wrong: by that of the store, a proof is not forgotten while it is accepted by ours. */
export const SKEW = 60

/** A proof that cannot be accepted (RFC 9449 §5). */
export const invalidProof = (description: string) => new OAuthError('invalid_dpop_proof', description)

export interface ProofContext {
  readonly method: string
  /** The endpoint's URL as clients know it. */
  readonly url: string
  readonly now: number
  readonly store: IssuerStore
  /** The access token, at an endpoint that takes one. */
  readonly accessToken?: string
}

/**
 * Verifies a proof by the checks of RFC 9449 §4.3.
 * @returns the thumbprint of its key
 */
export async function verifyProof(proof: string, context: ProofContext): Promise<string> {
  const { method, url, now, store, accessToken } = context
  if (proof.length > 8192 || proof.includes(',')) throw invalidProof('Exactly one DPoP proof is expected')
  requireCanonical(proof)
  const { payload, protectedHeader } = await verifySignature(proof, now)
  if ('crit' in protectedHeader) throw invalidProof('Critical extensions are not understood')
  requireCanonicalKey(protectedHeader.jwk as JWK)
  const { jti, htm, htu, iat, ath } = payload
  if (typeof jti !== 'string' || jti === '' || jti.length > 256)
    throw invalidProof('jti is missing or malformed')
  if (htm !== method) throw invalidProof('htm is not the method of this request')
  if (typeof htu !== 'string' || !isSameUri(htu, url))
    throw invalidProof('htu is not the URI of this endpoint')
  if (typeof iat !== 'number' || iat > now + TOLERANCE || iat < now - MAX_AGE) {
    throw invalidProof('iat is not within the acceptable time')
  }
  if (accessToken !== undefined && ath !== (await sha256(accessToken)))
    throw invalidProof('ath is not of this token')
  const jkt = await calculateJwkThumbprint(protectedHeader.jwk as JWK)
  const id = await sha256(`dpop ${jkt} ${jti}`)
  if (!(await store.add('claim', id, {}, { expiresAt: iat + MAX_AGE + TOLERANCE + SKEW }))) {
    throw invalidProof('The proof has been used before')
  }
  return jkt
}

async function verifySignature(proof: string, now: number) {
  try {
    return await jwtVerify(proof, EmbeddedJWK, {
      typ: 'dpop+jwt',
      algorithms: PROOF_ALGORITHMS,
      currentDate: new Date(now * 1000),
    })
  } catch {
    throw invalidProof('The proof is malformed or its signature is invalid')
  }
}

const TRAILING: Record<number, string> = { 2: 'AQgw', 3: 'AEIMQUYcgkosw048' }

/** One text per value: an alias of a proof or a key would be another proof, another key (RFC 7515 §2). */
function isCanonical(text: string): boolean {
  const rest = text.length % 4
  if (!/^[A-Za-z0-9_-]+$/.test(text) || rest === 1) return false
  return rest === 0 || (TRAILING[rest] as string).includes(text.charAt(text.length - 1))
}

function requireCanonical(jws: string): void {
  const parts = jws.split('.')
  if (parts.length !== 3 || !parts.every(isCanonical)) throw invalidProof('The proof is not a compact JWS')
}

const COORDINATE: Record<string, number> = { 'P-256': 43, 'P-384': 64, 'P-521': 88, Ed25519: 43 }

/** A public key in the one spelling that has its thumbprint; no private member (RFC 9449 §4.3 (7)). */
export function requireCanonicalKey(jwk: JWK): void {
  const members = jwk as Record<string, unknown>
  for (const name of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']) {
    if (name in members) throw invalidProof('jwk must be a public key')
  }
  const isNumber = (value: unknown, length: number | undefined) =>
    typeof value === 'string' && value.length === length && isCanonical(value)
  const size = COORDINATE[String(members.crv)]
  const isMinimal = (value: unknown, min: number, max: number) =>
    typeof value === 'string' &&
    value.length >= min &&
    value.length <= max &&
    isCanonical(value) &&
    !/^A[A-P]/.test(value)
  const fine =
    (jwk.kty === 'EC' && members.crv !== 'Ed25519' && isNumber(jwk.x, size) && isNumber(jwk.y, size)) ||
    (jwk.kty === 'OKP' && members.crv === 'Ed25519' && isNumber(jwk.x, size)) ||
    (jwk.kty === 'RSA' && isMinimal(jwk.n, 342, 683) && isMinimal(jwk.e, 2, 6))
  if (!fine) throw invalidProof('jwk is not an acceptable public key')
}

/** RFC 9449 §4.3 (9), with normalization; query and fragment do not count. */
function isSameUri(htu: string, url: string): boolean {
  if (!/^https?:\/\/[^\s\\@]+$/i.test(htu) || !URL.canParse(htu)) return false
  const given = new URL(htu)
  const expected = new URL(url)
  return given.origin === expected.origin && given.pathname === expected.pathname
}
