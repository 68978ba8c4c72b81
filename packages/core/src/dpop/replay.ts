/**
 * Remembers which proofs have been used (RFC 9449 §11.1). One method, no policy of its own.
 *
 * Contract, for which every store passes the same suite:
 * - `claim` is atomic: among any number of concurrent claims of one key, in any number of processes that share the
 *   store, exactly one is answered `'fresh'`.
 * - A live entry is never forgotten: until `expiresAt` the same key is answered `'replayed'`, or `claim` throws.
 * - A store that cannot know (down, slow, full) throws {@link Unavailable}; any other exception counts as the same.
 */
export interface ReplayStore {
  /**
   * @param key fixed-length hash over the verified (resource, `jkt`, `jti`): 43 base64url characters
   * @param expiresAt second since the epoch from which the proof would be refused for its age anyway:
   *   `iat + proofMaxAge + clockTolerance + 1`
   * @param jkt thumbprint of the key that signed the proof, for a quota per key; stores without one ignore it
   */
  claim(key: string, expiresAt: number, jkt: string): ReplayVerdict | Promise<ReplayVerdict>

  /**
   * Proofs that expire at or before this second are refused, since the store may have forgotten which of them were used.
   * The guard then challenges their clients to make younger ones, where those would pass. Default: none are.
   */
  readonly floor?: number

  /** Releases what the store holds. Called by `guard.close()` only for a store that the guard made itself. */
  close?(): void | Promise<void>
}

/** `'fresh'`: claimed now, by this call alone. `'replayed'`: claimed before. */
export type ReplayVerdict = 'fresh' | 'replayed'
