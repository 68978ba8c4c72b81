import type { JWTPayload } from 'jose'
import { decodeBase64url } from '#runtime'
import { isCanonicalBase64url } from '../base64url.ts'
import { isNumericDate } from '../dpop/proof.ts'
import { isJsonObject } from '../json.ts'
import type { RevocationVerdict } from './source.ts'

/** Of a list, inflated: a gigabyte of zeros deflates to one megabyte. */
export const MAX_INFLATED = 16 * 1024 * 1024
/** How far ahead the issuer's clock may be. */
const AHEAD = 10
/** Seconds a list may be kept, whatever its `ttl`; and where it has none. */
const SHORTEST_TTL = 1
const LONGEST_TTL = 300
const USUAL_TTL = 60

/** A status list whose signature was verified, inflated. */
export interface StatusList {
  readonly bits: 1 | 2 | 4 | 8
  readonly bytes: Uint8Array
  readonly issuedAt: number
  /** `exp`; infinite when absent. */
  readonly expiresAt: number
  /** Seconds it may be kept: 1 to 300. */
  readonly ttl: number
}

/**
 * Reads a Status List Token (draft-ietf-oauth-status-list §5.1), the claims of it. Inflates at most 16 MB.
 * @throws TypeError saying what is wrong
 */
export async function parseStatusList(
  claims: JWTPayload,
  expected: { uri: string; issuer: string; now: number },
): Promise<StatusList> {
  const { iss, sub, iat, exp = Number.POSITIVE_INFINITY, ttl, status_list: list } = claims
  if (sub !== expected.uri) throw new TypeError('sub is not the URI of the list')
  if (iss !== undefined && iss !== expected.issuer) throw new TypeError('iss is not the issuer')
  if (!isNumericDate(iat) || iat > expected.now + AHEAD)
    throw new TypeError('iat is missing or in the future')
  if (typeof exp !== 'number' || !(exp > expected.now)) throw new TypeError('the list has expired')
  if (ttl !== undefined && !isNumericDate(ttl)) throw new TypeError('ttl is not a number')
  if (!isJsonObject(list)) throw new TypeError('status_list is missing')
  const { bits, lst } = list
  if (bits !== 1 && bits !== 2 && bits !== 4 && bits !== 8) throw new TypeError('bits is not 1, 2, 4 or 8')
  if (typeof lst !== 'string' || !isCanonicalBase64url(lst)) throw new TypeError('lst is not base64url')
  return {
    bits,
    bytes: await inflate(decodeBase64url(lst)),
    issuedAt: iat,
    expiresAt: exp,
    ttl: Math.min(LONGEST_TTL, Math.max(SHORTEST_TTL, (ttl as number | undefined) ?? USUAL_TTL)),
  }
}

/**
 * What a list says of one index; entries are packed from the least significant bit and read in place. Only 0, VALID, is
 * active: INVALID, SUSPENDED, whatever an application defines, and an index outside of the list are not.
 */
export function readStatus({ bits, bytes }: StatusList, index: number): RevocationVerdict {
  const perByte = 8 / bits
  const byte = bytes[Math.floor(index / perByte)]
  if (byte === undefined) return 'revoked'
  const status = (byte >> ((index % perByte) * bits)) & ((1 << bits) - 1)
  return status === 0 ? 'active' : 'revoked'
}

/** Runtimes do not agree on what they throw: Node has an `Error` for what is cut short. */
function notInflated(cause: unknown): never {
  throw new TypeError('lst is not what zlib deflates to', { cause })
}

/** zlib (RFC 1950), with a limit that is counted while inflating. */
async function inflate(bytes: Uint8Array): Promise<Uint8Array> {
  const source = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream()
  const reader = source.pipeThrough(new DecompressionStream('deflate')).getReader()
  const chunks: Uint8Array[] = []
  let size = 0
  for (;;) {
    const { done, value } = (await reader.read().catch(notInflated)) as { done: boolean; value: Uint8Array }
    if (done) break
    size += value.length
    if (size > MAX_INFLATED) {
      reader.cancel().catch(() => undefined)
      throw new TypeError('the list is too large')
    }
    chunks.push(value)
  }
  const whole = new Uint8Array(size)
  let offset = 0
  for (const chunk of chunks) {
    whole.set(chunk, offset)
    offset += chunk.length
  }
  return whole
}
