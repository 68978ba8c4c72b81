/**
 * Why a request was refused. One row of {@link REFUSALS} per reason says what goes over the wire; a reason without
 * a row does not compile.
 */
export type Reason =
  // request
  | 'target_ambiguous'
  // credentials, RFC 9110 §11.4, RFC 6750 §2.1, RFC 9449 §7.1
  | 'credentials_missing'
  | 'credentials_ambiguous'
  | 'credentials_malformed'
  // access token, RFC 9068 §4, RFC 8725
  | 'token_malformed'
  | 'token_type_unsupported'
  | 'token_algorithm_unsupported'
  | 'token_issuer_unknown'
  | 'token_key_unknown'
  | 'token_signature_invalid'
  | 'token_claims_invalid'
  | 'token_expired'
  | 'token_not_yet_valid'
  | 'audience_mismatch'
  | 'token_revoked'
  // confirmation, RFC 7800, RFC 9449 §6.1, §7.2
  | 'confirmation_unsupported'
  | 'token_not_bound'
  | 'scheme_mismatch'
  | 'proof_key_mismatch'
  // proof, RFC 9449 §4.3
  | 'proof_missing'
  | 'proof_ambiguous'
  | 'proof_malformed'
  | 'proof_type_unsupported'
  | 'proof_algorithm_unsupported'
  | 'proof_key_invalid'
  | 'proof_signature_invalid'
  | 'proof_method_mismatch'
  | 'proof_target_mismatch'
  | 'proof_expired'
  | 'proof_not_yet_valid'
  | 'proof_token_mismatch'
  | 'proof_nonce_required'
  | 'proof_replayed'
  // scope, RFC 6750 §3.1
  | 'insufficient_scope'

/** What could not be known, so that nothing could be decided: never the client's fault, never a 401. */
export type UnavailableReason =
  | 'keys_unavailable'
  | 'revocation_unavailable'
  | 'replay_store_unavailable'
  | 'replay_store_full'
  | 'replay_quota_exceeded'
  | 'unexpected'

/** The error codes of RFC 6750 §3.1 and RFC 9449 §7.1; `undefined` where no credentials came. */
export type WireError =
  | 'invalid_request'
  | 'invalid_token'
  | 'invalid_dpop_proof'
  | 'use_dpop_nonce'
  | 'insufficient_scope'
  | undefined

interface Wire {
  readonly status: 400 | 401 | 403
  readonly error: WireError
  /** Static text, `%x20-21 / %x23-5B / %x5D-7E` only (RFC 6750 §3); echoes nothing. */
  readonly description: string
}

const token = (description: string): Wire => ({ status: 401, error: 'invalid_token', description })
const proof = (description: string): Wire => ({ status: 401, error: 'invalid_dpop_proof', description })
const request = (description: string): Wire => ({ status: 400, error: 'invalid_request', description })

/** Reason → status, error code and text: the whole of what a refused client may learn. */
export const REFUSALS = {
  target_ambiguous: request('The request target does not name a path of this resource'),
  credentials_missing: { status: 401, error: undefined, description: 'Credentials are required' },
  credentials_ambiguous: request('More than one Authorization credential'),
  credentials_malformed: request('The Authorization field is malformed'),
  token_malformed: token('The access token is malformed'),
  token_type_unsupported: token('This kind of token is not an access token'),
  token_algorithm_unsupported: token('The access token is signed with an unsupported algorithm'),
  token_issuer_unknown: token('The access token is from an issuer that is not trusted here'),
  token_key_unknown: token('The access token is signed with a key that its issuer does not publish'),
  token_signature_invalid: token('The signature of the access token is invalid'),
  token_claims_invalid: token('The access token lacks a required claim or has an invalid one'),
  token_expired: token('The access token has expired'),
  token_not_yet_valid: token('The access token is not valid yet'),
  audience_mismatch: token('The access token is for another resource'),
  token_revoked: token('The access token has been revoked'),
  confirmation_unsupported: token('The confirmation of the access token is not supported'),
  token_not_bound: token('The access token is not bound to a key'),
  scheme_mismatch: token('The access token must be sent with the scheme it was issued for'),
  proof_key_mismatch: token('The access token is bound to another key'),
  proof_missing: proof('A DPoP proof is required'),
  proof_ambiguous: proof('More than one DPoP proof'),
  proof_malformed: proof('The DPoP proof is malformed'),
  proof_type_unsupported: proof('The typ of the DPoP proof is not dpop+jwt'),
  proof_algorithm_unsupported: proof('The DPoP proof is signed with an unsupported algorithm'),
  proof_key_invalid: proof('The jwk of the DPoP proof is not an acceptable public key'),
  proof_signature_invalid: proof('The signature of the DPoP proof is invalid'),
  proof_method_mismatch: proof('The DPoP proof is for another method'),
  proof_target_mismatch: proof('The DPoP proof is for another URI'),
  proof_expired: proof('The DPoP proof is too old'),
  proof_not_yet_valid: proof('The DPoP proof is dated in the future'),
  proof_token_mismatch: proof('The DPoP proof is for another access token'),
  proof_nonce_required: {
    status: 401,
    error: 'use_dpop_nonce',
    description: 'Use the nonce of this answer in the DPoP proof',
  },
  proof_replayed: proof('The DPoP proof has been used before'),
  insufficient_scope: {
    status: 403,
    error: 'insufficient_scope',
    description: 'The access token lacks a needed scope',
  },
} as const satisfies Record<Reason, Wire>

/** What is unknown → status. A quota is the one case the client caused: 429, RFC 6585 §4. */
export const UNAVAILABLE = {
  keys_unavailable: { status: 503, description: 'The keys of the issuer are not available' },
  revocation_unavailable: { status: 503, description: 'The revocation state is not known' },
  replay_store_unavailable: { status: 503, description: 'The replay store does not answer' },
  replay_store_full: { status: 503, description: 'The replay store is full' },
  replay_quota_exceeded: { status: 429, description: 'Too many requests with this key' },
  unexpected: { status: 503, description: 'The request could not be checked' },
} as const satisfies Record<UnavailableReason, { status: 429 | 503; description: string }>

/**
 * The request is at fault. Thrown inside the guard, never out of it. Not an `Error`: a refusal is an ordinary outcome,
 * and a stack trace for each would make refusing dearer than accepting.
 */
export class Refusal {
  readonly reason: Reason
  /** For `onDecision` alone; never sent. */
  readonly detail: string | undefined

  constructor(reason: Reason, detail?: string) {
    this.reason = reason
    this.detail = detail
  }
}

/**
 * We cannot know: no keys, revocation state too old, store down or full. Becomes `503` with `Retry-After`, never a
 * `401`: agents throw good tokens away on a 401. Stores and revocation sources throw it.
 */
export class Unavailable extends Error {
  override readonly name = 'Unavailable'
  readonly reason: UnavailableReason
  /** Seconds after which asking again makes sense; sent as `Retry-After`, rounded up. */
  readonly retryAfter: number

  constructor(
    reason: UnavailableReason,
    options: { retryAfter?: number; cause?: unknown; detail?: string } = {},
  ) {
    super(
      options.detail ?? UNAVAILABLE[reason].description,
      options.cause === undefined ? {} : { cause: options.cause },
    )
    this.reason = reason
    this.retryAfter = options.retryAfter ?? 1
  }
}

/** Wrong configuration, found at start-up. Never thrown at request time. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
  /** The option at fault, `audience` for the first argument. */
  readonly option: string

  constructor(option: string, expected: string) {
    super(`sharkGuard: ${option}: ${expected}`)
    this.option = option
  }
}
