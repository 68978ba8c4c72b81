import type { JWTPayload } from 'jose'
import type { AccessToken } from '../access-token.ts'
import type { IssuerMetadata } from '../keys.ts'

/**
 * Where revocations come from: `revocationList()`, `statusList()`, `introspection()`, or your own. A guard opens each
 * source once for each issuer it trusts.
 */
export interface RevocationSource {
  /** Appears in `onDecision` and in errors. */
  readonly name: string
  open(context: RevocationContext): RevocationFeed
}

/** What a source may use. It reaches the network and the time only through this. */
export interface RevocationContext {
  /** Issuer identifier, exactly as configured (RFC 8414 §2). */
  readonly issuer: string
  /** The issuer's metadata, cached; throws {@link Unavailable}. */
  metadata(): Promise<IssuerMetadata>
  /**
   * Verifies a compact JWS with the issuer's current keys and algorithms, and that its `typ` is exactly `type`
   * (RFC 8725 §3.11). Does not look at any claim. Throws a {@link Refusal} for a bad one, {@link Unavailable} without keys.
   */
  verifyJwt(jwt: string, type: string): Promise<JWTPayload>
  readonly fetch: typeof fetch
  /** Seconds since the epoch, with fraction. */
  readonly clock: () => number
  /** Reports what was ignored or went wrong; reaches `onDecision` watchers and `guard.ready()`. Never throws. */
  report(problem: string, cause?: unknown): void
}

/** A source opened for one issuer: decides that issuer's tokens until it is closed. */
export interface RevocationFeed {
  /**
   * Decides one verified token, on every request, cached token or not. Throws {@link Unavailable} when it cannot know.
   * @param text the token as it was sent, for sources that must ask about it
   */
  check(token: AccessToken, text: string): RevocationVerdict | Promise<RevocationVerdict>
  /** Resolves when the feed can decide; rejects with {@link Unavailable} when it cannot within its own deadline. */
  ready(): Promise<void>
  /** Calls `listener` whenever rules may have been added, so that open streams are checked again. Returns the undo. */
  onChange?(listener: () => void): () => void
  /** Ends connections and timers; idempotent. */
  close(): void
}

/** Of one token. What is not known is no verdict: a feed throws {@link Unavailable} then. */
export type RevocationVerdict = 'active' | 'revoked'
