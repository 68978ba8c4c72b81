import { decodeBase64url } from '#runtime'
import { isCanonicalBase64url } from './base64url.ts'
import { type JsonObject, parseJsonObject } from './json.ts'

/** The parts of a compact JWS, cut but not verified (RFC 7515 §7.1). */
export interface CompactJws {
  readonly header: string
  readonly payload: string
  readonly signature: string
  /** `header.payload`: what the signature covers. */
  readonly signed: string
}

/** Cuts a compact JWS at its two dots in one scan. `undefined` unless there are three canonical, non-empty parts. */
export function parseCompactJws(text: string, maxLength: number): CompactJws | undefined {
  if (text.length > maxLength) return undefined
  const first = text.indexOf('.')
  const second = text.indexOf('.', first + 1)
  if (first < 1 || second < first + 2 || text.indexOf('.', second + 1) !== -1) return undefined
  const header = text.slice(0, first)
  const payload = text.slice(first + 1, second)
  const signature = text.slice(second + 1)
  if (signature === '') return undefined
  if (!isCanonicalBase64url(header) || !isCanonicalBase64url(payload) || !isCanonicalBase64url(signature)) {
    return undefined
  }
  return { header, payload, signature, signed: text.slice(0, second) }
}

/** Decodes one part of a compact JWS as a strict JSON object. */
export function decodePart(part: string): JsonObject | undefined {
  return parseJsonObject(decodeBase64url(part))
}

/** Media types of JOSE compare case-insensitively, with `application/` optional (RFC 7515 §4.1.9). */
export function mediaType(typ: unknown): string | undefined {
  if (typeof typ !== 'string') return undefined
  const lower = typ.toLowerCase()
  return lower.startsWith('application/') ? lower.slice(12) : lower
}

/** Extensions we do not understand, unencoded payloads and nested tokens: none of them is a JWT we verify. */
export function hasUnsupportedExtension(header: JsonObject): boolean {
  return (
    'crit' in header ||
    'b64' in header ||
    'zip' in header ||
    'enc' in header ||
    mediaType(header.cty) === 'jwt'
  )
}
