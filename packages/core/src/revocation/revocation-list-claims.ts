import type { JWTPayload } from 'jose'
import { isNumericDate } from '../dpop/proof.ts'
import { STALE } from './freshness.ts'
import { parseRules, type RevocationRule } from './rules.ts'

/** How far ahead the issuer's clock may be. */
const AHEAD = 10

/** A revocation list whose signature was verified, and which is understood. */
export interface RevocationList {
  /** `iat`, seconds. */
  readonly issuedAt: number
  /** Number of the newest rule at the issuer. */
  readonly seq: number
  readonly rules: readonly RevocationRule[]
}

/**
 * Reads the claims of a revocation list: `iss`, `iat`, `exp`, `seq`, `since` and `rules`, all of them required.
 * @param expected the issuer; the number after which rules were asked for; the time in seconds
 * @throws TypeError saying what is wrong, without repeating it
 */
export function parseRevocationList(
  { iss, iat, exp, seq, since, rules }: JWTPayload,
  expected: { issuer: string; since: number; now: number },
): RevocationList {
  const { now } = expected
  if (iss !== expected.issuer) throw new TypeError('iss is not the issuer')
  if (!isNumericDate(iat) || !isNumericDate(exp)) throw new TypeError('iat or exp is missing')
  if (iat > now + AHEAD) throw new TypeError('iat is in the future')
  if (iat < now - STALE || exp <= now) throw new TypeError('it is too old')
  if (!isSequence(seq)) throw new TypeError('seq is not a number')
  if (since !== expected.since) throw new TypeError('since is not what was asked for')
  return { issuedAt: iat, seq, rules: parseRules(rules) }
}

function isSequence(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
