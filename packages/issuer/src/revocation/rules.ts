/**
 * One revocation: tokens that match `k` and `v` and were issued before `b`. Rules only accumulate until they expire, so
 * that order, duplicates and merging do not matter.
 */
export interface RevocationRule {
  /** What `v` names: a token, a grant, a client, a user, a key, a pattern over client ids, a signing key. */
  readonly k: 'jti' | 'gid' | 'cid' | 'sub' | 'jkt' | 'glob' | 'kid'
  readonly v: string
  /** Tokens with `iat` before this second; absent: all. */
  readonly b?: number
  /** The second from which no token can match any more. */
  readonly x: number
  /** Also tokens in whose delegation chain it occurs. */
  readonly c?: boolean
}
