import { isNumericDate } from '../dpop/proof.ts'
import { isJsonObject } from '../json.ts'

/** What a rule's value names: a token, a grant, a client, a user, a key, client ids by pattern, an issuer's key. */
export const RULE_KINDS = ['jti', 'gid', 'cid', 'sub', 'jkt', 'glob', 'kid'] as const

export type RuleKind = (typeof RULE_KINDS)[number]

/**
 * One revocation, as it stands in the list: tokens that match `k` and `v` and were issued before `b`. Every layer is such
 * a rule; rules only accumulate until they expire, so that order, duplicates and merging do not matter.
 */
export interface RevocationRule {
  readonly k: RuleKind
  readonly v: string
  /** Tokens whose `iat` lies before this second; absent: all. */
  readonly b?: number
  /** The second from which no token can match any more. */
  readonly x: number
  /** Also tokens in whose delegation chain it occurs (RFC 8693 §4.1): for `cid`, `sub`, `jkt` and `glob`. */
  readonly c?: boolean
}

export const MAX_GLOBS = 1024
const MAX_GLOB_LENGTH = 128
const MAX_VALUE_LENGTH = 2048

/**
 * Reads the rules of a list from an issuer. One that is not understood makes the whole list not understood: to leave it
 * out would be to let through what it revokes.
 */
export function parseRules(value: unknown): readonly RevocationRule[] | undefined {
  if (!Array.isArray(value)) return undefined
  return value.every(isRule) ? value : undefined
}

function isRule(value: unknown): value is RevocationRule {
  if (!isJsonObject(value)) return false
  const { k, v, b, x, c } = value
  if (!RULE_KINDS.includes(k as RuleKind) || typeof v !== 'string' || v === '' || v.length > MAX_VALUE_LENGTH)
    return false
  if (k === 'glob' && v.length > MAX_GLOB_LENGTH) return false
  if (!isNumericDate(x) || (b !== undefined && !isNumericDate(b))) return false
  return c === undefined || typeof c === 'boolean'
}
