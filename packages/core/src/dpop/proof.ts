import { LRUCache } from 'lru-cache'
import { decodeBase64url, importKey, sha256, verifySignature } from '#runtime'
import type { AccessToken } from '../access-token.ts'
import { fitsAlgorithm, type SignatureAlgorithm } from '../algorithms.ts'
import { isJsonObject } from '../json.ts'
import { decodePart, hasUnsupportedExtension, mediaType, parseCompactJws } from '../jws.ts'
import { type PublicJwk, parsePublicJwk, thumbprint } from '../public-jwk.ts'
import { Refusal } from '../refusal.ts'
import type { VerificationKey } from '../runtime/contract.ts'
import type { Nonces } from './nonce.ts'
import { isSameTargetUri } from './target-uri.ts'

const MAX_PROOF_LENGTH = 8192
const MAX_JTI_LENGTH = 256
/** A cached P-256 key holds 5.6 KB of native memory: at most about 56 MB. */
const MAX_CACHED_KEYS = 10_000

/** A verified proof: what replay protection needs of it. */
export interface Proof {
  readonly jkt: string
  /** Its key in the replay store: fixed in length, and of this resource, this key and this `jti` alone. */
  readonly replayKey: string
  /** `iat`, seconds. */
  readonly issuedAt: number
  /** Whether it has a `nonce`, right or wrong: its client has been challenged before. */
  readonly hasNonce: boolean
}

/** What a proof must prove. */
export interface ProofTarget {
  readonly method: string
  /** The target URI as the public knows it. */
  readonly uri: string
  readonly token: AccessToken
}

export interface ProofPolicy {
  /** The resource that proofs are made for. */
  readonly audience: string
  readonly proofAlgorithms: readonly SignatureAlgorithm[]
  readonly proofMaxAge: number
  readonly clockTolerance: number
  readonly nonces: Nonces
  /** Proofs dated up to this second must carry a nonce, others need none. */
  readonly nonceNeededUntil: number
}

/** What the header of a proof says. A client sends the same header with each proof, so it is read once. */
interface ProofHeader {
  readonly algorithm: SignatureAlgorithm
  readonly jwk: PublicJwk
  readonly jkt: string
}

/** The checks of RFC 9449 §4.3, numbered as there. (1), one `DPoP` field, belongs to the credentials. */
export function createProofVerifier(policy: ProofPolicy) {
  // By the exact text of the header, which is canonical. Kept apart from tokens, so that it survives their renewal.
  // Entered only once a signature has been verified: strangers cannot push honest keys out.
  const known = new LRUCache<string, { header: ProofHeader; key: VerificationKey }>({ max: MAX_CACHED_KEYS })

  async function verify(text: string, target: ProofTarget, now: number): Promise<Proof> {
    // (2) a single well-formed JWT
    const jws = parseCompactJws(text, MAX_PROOF_LENGTH)
    if (jws === undefined) throw new Refusal('proof_malformed')
    const cached = known.get(jws.header)
    // (4) typ, (5) alg, (7) jwk without private key
    const header = cached?.header ?? (await parseHeader(jws.header))
    // (3) required claims, (8) htm, (9) htu, (11) iat, (12a) ath
    const claims = decodePart(jws.payload)
    if (claims === undefined) throw new Refusal('proof_malformed')
    const { jti, htm, htu, iat, ath, exp, nbf } = claims
    if (!isIdentifier(jti) || typeof htm !== 'string' || typeof htu !== 'string' || !isNumericDate(iat)) {
      throw new Refusal('proof_malformed', 'jti, htm, htu and iat are required')
    }
    if (htm !== target.method)
      throw new Refusal('proof_method_mismatch', `htm ${htm}, method ${target.method}`)
    if (!isSameTargetUri(htu, target.uri)) {
      throw new Refusal('proof_target_mismatch', `htu ${htu}, expected ${target.uri}`)
    }
    if (iat > now + policy.clockTolerance) throw new Refusal('proof_not_yet_valid', `iat ${iat}, now ${now}`)
    if (iat + policy.proofMaxAge < now) throw new Refusal('proof_expired', `iat ${iat}, now ${now}`)
    requireLifetime(exp, nbf, now, policy.clockTolerance)
    if (ath !== target.token.hash) throw new Refusal('proof_token_mismatch')
    // (12b) the key is the token's; compared before it is imported, so that a wrong key costs nothing
    if (header.jkt !== target.token.jkt) throw new Refusal('proof_key_mismatch')
    // (6) signature
    const key = cached?.key ?? (await importProofKey(header))
    const verified = verifySignature(header.algorithm, key, jws.signed, decodeBase64url(jws.signature))
    // Hashed meanwhile, where signatures are verified elsewhere. Unambiguous whatever `jti` contains: it is last, and the rest
    // is ours to know.
    const replayKey = sha256(`${policy.audience} ${header.jkt} ${jti}`)
    if (!(await verified)) throw new Refusal('proof_signature_invalid')
    if (cached === undefined) known.set(detached(jws.header), { header, key })
    // (10) nonce
    if (iat <= policy.nonceNeededUntil) await requireNonce(claims.nonce, now)
    const hasNonce = claims.nonce !== undefined
    return { jkt: header.jkt, replayKey: await replayKey, issuedAt: iat, hasNonce }
  }

  async function parseHeader(part: string): Promise<ProofHeader> {
    const header = decodePart(part)
    if (header === undefined || hasUnsupportedExtension(header)) throw new Refusal('proof_malformed')
    if (mediaType(header.typ) !== 'dpop+jwt') throw new Refusal('proof_type_unsupported')
    const algorithm = policy.proofAlgorithms.find((supported) => supported === header.alg)
    if (algorithm === undefined) throw new Refusal('proof_algorithm_unsupported')
    const jwk = isJsonObject(header.jwk) ? parsePublicJwk(header.jwk) : undefined
    if (jwk === undefined || !fitsAlgorithm(jwk, algorithm)) throw new Refusal('proof_key_invalid')
    return { algorithm, jwk, jkt: await thumbprint(jwk) }
  }

  async function requireNonce(nonce: unknown, now: number): Promise<void> {
    if (nonce === undefined) throw new Refusal('proof_nonce_required', 'no nonce')
    if (typeof nonce !== 'string' || !(await policy.nonces.accepts(nonce, now))) {
      throw new Refusal('proof_nonce_required', 'the nonce is none of this guard and time')
    }
  }

  return { verify }
}

/** Not asked for by RFC 9449, but a proof that says when it ends, or begins, means it. */
function requireLifetime(exp: unknown, nbf: unknown, now: number, tolerance: number): void {
  if (exp !== undefined && !(isNumericDate(exp) && now < exp + tolerance))
    throw new Refusal('proof_expired', 'exp')
  if (nbf !== undefined && !(isNumericDate(nbf) && nbf <= now + tolerance)) {
    throw new Refusal('proof_not_yet_valid', 'nbf')
  }
}

async function importProofKey({ jwk, algorithm }: ProofHeader): Promise<VerificationKey> {
  try {
    return await importKey(jwk, algorithm)
  } catch (error) {
    throw new Refusal('proof_key_invalid', String(error))
  }
}

function isIdentifier(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_JTI_LENGTH
}

/** RFC 7519 §2 NumericDate. `JSON.parse` makes Infinity of 1e999, which would outlive everything. */
export function isNumericDate(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}

/** A slice keeps the whole header field it was cut from alive; a cache must hold a copy. */
function detached(text: string): string {
  return JSON.parse(JSON.stringify(text)) as string
}
