/**
 * One revocation: what `k` and `v` select and was issued before `b`. Rules only accumulate until they expire, so that
 * order, duplicates and merging do not matter.
 */
export interface RevocationRule {
  /** What `v` names: a token, a grant, a client, a user, a key, a pattern over client ids, a signing key. */
  readonly k: 'jti' | 'gid' | 'cid' | 'sub' | 'jkt' | 'glob' | 'kid'
  readonly v: string
  /** What has an `iat` before this second; absent: all. */
  readonly b?: number
  /** The second from which nothing can match any more: no token, and no code, refresh token or consent. */
  readonly x: number
  /** The same for access tokens alone, which is the `x` that guards get. Absent: `x`. Stays at the issuer. */
  readonly u?: number
  /** Also tokens in whose delegation chain it occurs, as the subject or as an actor. */
  readonly c?: boolean
}

/** The rules that guards still need, as guards read them. */
export function publishable(rules: readonly RevocationRule[], now: number): readonly RevocationRule[] {
  return rules.flatMap(({ u, ...rule }) => {
    const x = u ?? rule.x
    return x > now ? [{ ...rule, x }] : []
  })
}
