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
  const token = parseToken(authorization, scheme.length)
  const [proof] = fields.dpop
  if (fields.dpop.length > 1 || proof?.includes(',')) throw new Refusal('proof_ambiguous')
  return { scheme, token, proof }
}

/** The scheme a field starts with, also of credentials that are otherwise malformed: the challenge answers in it. */
export function parseScheme(authorization: string): Scheme | undefined {
  if (startsWithWord(authorization, 'dpop')) return 'DPoP'
  return startsWithWord(authorization, 'bearer') ? 'Bearer' : undefined
}

function startsWithWord(text: string, word: string): boolean {
  const after = text.charAt(word.length)
  return (
    (after === '' || after === ' ' || after === '\t') && text.slice(0, word.length).toLowerCase() === word
  )
}

/** `1*SP token68` and nothing after it. The alphabet is left to the token, which is stricter. */
function parseToken(authorization: string, start: number): string {
  let begin = start
  while (authorization.charCodeAt(begin) === 0x20) begin++
  const token = authorization.slice(begin)
  if (token === '' || token.includes(' ') || token.includes('\t')) throw new Refusal('credentials_malformed')
  return token
}
