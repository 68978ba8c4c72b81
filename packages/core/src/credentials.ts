import { Refusal } from './refusal.ts'
import type { CredentialFields } from './request.ts'

/** The two schemes an access token travels with (RFC 6750 §2.1, RFC 9449 §7.1). */
export type Scheme = 'Bearer' | 'DPoP'

export interface Credentials {
  readonly scheme: Scheme
  /** The access token as it was sent; not looked at yet. */
  readonly token: string
  /** The value of the one `DPoP` field, if there was one; not looked at yet. */
  readonly proof: string | undefined
}

const AUTHORIZATION = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?: +([A-Za-z0-9._~+/-]+=*))?$/

/**
 * `Authorization` and `DPoP` fields → credentials. Tokens elsewhere (query, body, cookie) are not looked for: OAuth 2.1
 * §5.1 and MCP forbid them. A comma means that somebody joined two fields, and nobody can say which one counts.
 */
export function parseCredentials(fields: CredentialFields): Credentials {
  const [authorization] = fields.authorization
  if (authorization === undefined) throw new Refusal('credentials_missing')
  if (fields.authorization.length > 1 || authorization.includes(','))
    throw new Refusal('credentials_ambiguous')
  const scheme = parseScheme(authorization)
  if (scheme === undefined) throw new Refusal('credentials_missing', 'neither Bearer nor DPoP')
  const token = AUTHORIZATION.exec(authorization)?.[2]
  if (token === undefined) throw new Refusal('credentials_malformed')
  const [proof] = fields.dpop
  if (fields.dpop.length > 1 || proof?.includes(',')) throw new Refusal('proof_ambiguous')
  return { scheme, token, proof }
}

/** The scheme a field starts with, also of credentials that are otherwise malformed: the challenge answers in it. */
export function parseScheme(authorization: string): Scheme | undefined {
  const scheme = /^[^ \t]*/.exec(authorization)?.[0].toLowerCase()
  return scheme === 'dpop' ? 'DPoP' : scheme === 'bearer' ? 'Bearer' : undefined
}
