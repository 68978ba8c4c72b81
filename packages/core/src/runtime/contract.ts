import type { JWK } from 'jose'

/** An imported public key; what it is depends on the runtime. */
export type VerificationKey = { readonly [opaque]: never } | object
declare const opaque: unique symbol

/**
 * The one seam between runtimes: `node:crypto` on Node, WebCrypto elsewhere, chosen by the `#runtime` import condition.
 * Either side may answer at once or with a promise; callers await.
 */
export interface Runtime {
  /** base64url SHA-256 of the text's UTF-8. */
  sha256(text: string): string | Promise<string>
  /** base64url HMAC-SHA-256 of the text's UTF-8. */
  hmacSha256(key: Uint8Array, text: string): string | Promise<string>
  /** Decodes text that {@link isCanonicalBase64url} has accepted. */
  decodeBase64url(text: string): Uint8Array
  /** Imports a public JWK for one algorithm; throws whatever the runtime throws for a bad one. */
  importKey(jwk: JWK, algorithm: string): VerificationKey | Promise<VerificationKey>
  /** Verifies a JWS signature (RFC 7515 §5.2) over ASCII text. False for any bad signature; does not throw for one. */
  verifySignature(
    algorithm: string,
    key: VerificationKey,
    text: string,
    signature: Uint8Array,
  ): boolean | Promise<boolean>
}
