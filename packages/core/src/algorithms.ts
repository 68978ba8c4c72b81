/** Asymmetric signature algorithms that can be verified here (RFC 7518 §3.1, RFC 8037, RFC 9864). */
export const SIGNATURE_ALGORITHMS = [
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
  'PS256',
  'PS384',
  'PS512',
  'RS256',
  'RS384',
  'RS512',
] as const

/** One of {@link SIGNATURE_ALGORITHMS}: asymmetric, by its JOSE name. */
export type SignatureAlgorithm = (typeof SIGNATURE_ALGORITHMS)[number]

const KEY_FOR: Record<SignatureAlgorithm, { kty: string; crv?: string }> = {
  ES256: { kty: 'EC', crv: 'P-256' },
  ES384: { kty: 'EC', crv: 'P-384' },
  ES512: { kty: 'EC', crv: 'P-521' },
  EdDSA: { kty: 'OKP', crv: 'Ed25519' },
  Ed25519: { kty: 'OKP', crv: 'Ed25519' },
  PS256: { kty: 'RSA' },
  PS384: { kty: 'RSA' },
  PS512: { kty: 'RSA' },
  RS256: { kty: 'RSA' },
  RS384: { kty: 'RSA' },
  RS512: { kty: 'RSA' },
}

/** Whether a key of this type and curve may be used with the algorithm (RFC 8725 §3.1). */
export function fitsAlgorithm(
  jwk: { kty?: unknown; crv?: unknown; alg?: unknown },
  algorithm: SignatureAlgorithm,
) {
  const { kty, crv } = KEY_FOR[algorithm]
  if (jwk.kty !== kty || (crv !== undefined && jwk.crv !== crv)) return false
  return jwk.alg === undefined || jwk.alg === algorithm || (kty === 'OKP' && isEd25519(jwk.alg))
}

function isEd25519(algorithm: unknown): boolean {
  return algorithm === 'EdDSA' || algorithm === 'Ed25519'
}
