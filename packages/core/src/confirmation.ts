import { isCanonicalBase64url } from './base64url.ts'
import type { Credentials } from './credentials.ts'
import { isJsonObject } from './json.ts'
import { Refusal } from './refusal.ts'

/** `'required'`: every token must be bound to a key. `'when-bound'`: unbound ones may come as Bearer. */
export type DpopPolicy = 'required' | 'when-bound'

/**
 * `cnf` (RFC 7800 §3.1) → the thumbprint the token is bound to. A confirmation that is malformed, or that names only
 * methods not known here, is a demand we cannot check: refused, not ignored.
 */
export function parseConfirmation(cnf: unknown): string | undefined {
  if (cnf === undefined) return undefined
  if (!isJsonObject(cnf)) throw new Refusal('confirmation_unsupported')
  const { jkt } = cnf
  if (typeof jkt !== 'string' || jkt.length !== 43 || !isCanonicalBase64url(jkt)) {
    throw new Refusal('confirmation_unsupported')
  }
  return jkt
}

/**
 * What the confirmation demands of this request: its scheme and a proof (RFC 9449 §7.1, §7.2). A bound token never
 * passes as Bearer, whatever the policy: that would be the downgrade.
 * @returns the proof to verify; `undefined` for a bearer token where policy admits it
 */
export function requireConfirmation(
  jkt: string | undefined,
  credentials: Credentials,
  policy: DpopPolicy,
): string | undefined {
  const { scheme, proof } = credentials
  if (jkt === undefined) {
    if (scheme === 'DPoP' || policy === 'required') throw new Refusal('token_not_bound')
    return undefined
  }
  if (scheme !== 'DPoP') throw new Refusal('scheme_mismatch')
  if (proof === undefined || proof === '') throw new Refusal('proof_missing')
  return proof
}
