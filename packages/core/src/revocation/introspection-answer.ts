import type { AccessToken } from '../access-token.ts'
import { isNumericDate } from '../dpop/proof.ts'
import { isJsonObject, type JsonObject } from '../json.ts'
import type { RevocationVerdict } from './source.ts'

/** What an answer says about one token. */
export interface IntrospectionAnswer {
  readonly verdict: RevocationVerdict
  /** Second from which the token is over: the token's `exp`, or the answer's if that is earlier. */
  readonly endsAt: number
}

/**
 * Reads an introspection answer (RFC 7662 §2.2). Only `active` and `exp` are used: audience, binding and scopes are those
 * that the token itself was verified to have. `iss`, `client_id` and `jti` need not be there, but must be the token's.
 * @throws TypeError for anything that is not an answer about this token
 */
export function parseIntrospectionAnswer(text: string, token: AccessToken): IntrospectionAnswer {
  const answer = parseObject(text)
  if (typeof answer.active !== 'boolean') throw new TypeError('active is not true or false')
  if (!answer.active) return { verdict: 'revoked', endsAt: token.expiresAt }
  for (const name of ['iss', 'client_id', 'jti']) {
    const claim = token.claims[name]
    if (claim !== undefined && answer[name] !== undefined && answer[name] !== claim) {
      throw new TypeError(`the answer is about another token: ${name}`)
    }
  }
  const { exp } = answer
  if (exp !== undefined && !isNumericDate(exp)) throw new TypeError('exp is not a number')
  return { verdict: 'active', endsAt: Math.min(token.expiresAt, exp ?? token.expiresAt) }
}

function parseObject(text: string): JsonObject {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The parser's own message quotes what it met.
    throw new TypeError('the answer is not JSON')
  }
  if (!isJsonObject(value)) throw new TypeError('the answer is not a JSON object')
  return value
}
