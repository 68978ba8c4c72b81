const ALPHABET_ONLY = /^[A-Za-z0-9_-]*$/
/** Last characters whose unused low bits are zero, for a remainder of two and of three characters. */
const TWO = 'AQgw'
const THREE = 'AEIMQUYcgkosw048'

/**
 * Whether text is the one canonical base64url spelling of its bytes (RFC 7515 §2, RFC 4648 §3.5): the alphabet alone, no
 * padding, zero trailing bits. Decoders accept more, and every alias they accept is another name for the same bytes.
 */
export function isCanonicalBase64url(text: string): boolean {
  if (!ALPHABET_ONLY.test(text)) return false
  switch (text.length % 4) {
    case 0:
      return true
    case 2:
      return TWO.includes(text.charAt(text.length - 1))
    case 3:
      return THREE.includes(text.charAt(text.length - 1))
    default:
      return false
  }
}
