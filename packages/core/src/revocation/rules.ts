import { isJsonObject } from '../json.ts'

/**
 * One revocation: tokens that `k` and `v` select and that were issued before `b`. Rules only accumulate until they expire,
 * so that order, duplicates and merging do not matter.
 */
export interface RevocationRule {
  readonly k: RuleKind
  /** What the kind compares with: an identifier, or for `glob` a pattern. */
  readonly v: string
  /** Tokens with `floor(iat)` before this second; absent: all. */
  readonly b?: number
  /** Second from which no token can match any more. */
  readonly x: number
  /**
   * Also tokens in whose delegation chain it occurs (RFC 8693 §4.1): as the subject or any `act.sub` for `cid`, `sub` and
   * `glob`, as an actor's key for `jkt`. The chain of a token without `act` is nobody.
   */
  readonly c?: boolean
}

/** Which of a token: `jti`, `gid` (its grant), client id, `sub`, `cnf.jkt`, client id by pattern, `kid` of its signature. */
export type RuleKind = (typeof RULE_KINDS)[number]

export const RULE_KINDS = ['jti', 'gid', 'cid', 'sub', 'jkt', 'glob', 'kid'] as const

export const RULE_LIMITS = Object.freeze({
  rules: 2_000_000,
  /** Different patterns. */
  globs: 1024,
  /** Code points of a pattern. */
  globLength: 128,
  /** UTF-16 units of any other value. */
  valueLength: 1024,
})

const KINDS: ReadonlySet<unknown> = new Set(RULE_KINDS)

/**
 * Reads the rules of a list. All or nothing: a kind that is not known, or a member of the wrong type, means that the list
 * is not understood, which is not the same as empty. Members with other names are ignored; what changes the meaning of a
 * rule needs a kind of its own.
 * @throws TypeError
 */
export function parseRules(value: unknown): readonly RevocationRule[] {
  if (!Array.isArray(value)) throw new TypeError('rules is not an array')
  if (value.length > RULE_LIMITS.rules) throw new TypeError('too many rules')
  const notUnderstood = value.findIndex((rule) => !isRule(rule))
  if (notUnderstood !== -1) throw new TypeError(`rule ${notUnderstood} is not understood`)
  return value
}

function isRule(rule: unknown): rule is RevocationRule {
  if (!isJsonObject(rule)) return false
  const { k, v, b, x, c } = rule
  return (
    KINDS.has(k) &&
    typeof v === 'string' &&
    v !== '' &&
    (k === 'glob' ? isShortPattern(v) : v.length <= RULE_LIMITS.valueLength) &&
    (b === undefined || isSecond(b)) &&
    isSecond(x) &&
    (c === undefined || typeof c === 'boolean')
  )
}

function isShortPattern(pattern: string): boolean {
  const { globLength } = RULE_LIMITS
  return (
    pattern.length <= globLength || (pattern.length <= 2 * globLength && [...pattern].length <= globLength)
  )
}

function isSecond(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
