import * as crypto from 'node:crypto'
import type { JWK } from 'jose'
import type { Runtime, VerificationKey } from './contract.ts'

/** Verifications of one burst that run on the event loop; those beyond go to the thread pool. */
const SYNC_PER_BURST = 2

export const sha256: Runtime['sha256'] = (text) => crypto.hash('sha256', text, 'base64url')

export const hmacSha256: Runtime['hmacSha256'] = (key, text) =>
  crypto.createHmac('sha256', key).update(text).digest('base64url')

export const decodeBase64url: Runtime['decodeBase64url'] = (text) => Buffer.from(text, 'base64url')

export const importKey: Runtime['importKey'] = (jwk, algorithm) => {
  const key = crypto.createPublicKey({ key: jwk as JWK & crypto.JsonWebKey, format: 'jwk' })
  if (algorithm.startsWith('PS')) {
    const { RSA_PKCS1_PSS_PADDING: padding, RSA_PSS_SALTLEN_DIGEST: saltLength } = crypto.constants
    return { key, padding, saltLength }
  }
  return key
}

export const verifySignature: Runtime['verifySignature'] = (algorithm, key, text, signature) => {
  const input = key as crypto.KeyObject
  const data = Buffer.from(text, 'latin1')
  switch (algorithm) {
    case 'ES256': {
      const der = derSignature(signature, 32)
      return der !== undefined && verify('sha256', data, input, der)
    }
    case 'ES384':
    case 'ES512': {
      // Ten and twenty-three times dearer than ES256: never on the event loop.
      const [digest, size] = algorithm === 'ES384' ? (['sha384', 48] as const) : (['sha512', 66] as const)
      const der = derSignature(signature, size)
      return der !== undefined && verifyInThreadPool(digest, data, input, der)
    }
    case 'EdDSA':
    case 'Ed25519':
      return verify(null, data, input, signature)
    default:
      return verify(`sha${algorithm.slice(2)}`, data, input, signature)
  }
}

let inBurst = 0

/**
 * One request alone is fastest on the event loop; many at once are faster in the thread pool, which also keeps turns of
 * the loop short. So the first few of a burst run here and the rest there. Requests that run side by side reach this line
 * before the microtask that ends the burst; requests that follow one another do not.
 */
function verify(digest: string | null, data: Buffer, key: crypto.KeyObject, signature: Uint8Array) {
  if (inBurst >= SYNC_PER_BURST) return verifyInThreadPool(digest, data, key, signature)
  if (inBurst++ === 0) queueMicrotask(endBurst)
  return crypto.verify(digest, data, key, signature)
}

function endBurst() {
  inBurst = 0
}

function verifyInThreadPool(
  digest: string | null,
  data: Buffer,
  key: crypto.KeyObject,
  signature: Uint8Array,
) {
  return new Promise<boolean>((resolve) => {
    crypto.verify(digest, data, key, signature, (error, valid) => resolve(error === null && valid))
  })
}

/** r ‖ s of JWS (RFC 7518 §3.4) → DER: with a bare key and DER no Node version takes its slow path. */
function derSignature(raw: Uint8Array, size: number): Uint8Array | undefined {
  if (raw.length !== 2 * size) return undefined
  const r = derLength(raw, 0, size)
  const s = derLength(raw, size, size)
  const length = r + s + 4
  const wide = length > 127 ? 1 : 0
  const der = new Uint8Array(length + 2 + wide)
  der[0] = 0x30
  if (wide === 1) der[1] = 0x81
  der[1 + wide] = length
  const next = writeInteger(der, 2 + wide, raw, 0, size, r)
  writeInteger(der, next, raw, size, size, s)
  return der
}

function derLength(raw: Uint8Array, start: number, size: number): number {
  let skip = 0
  while (skip < size - 1 && raw[start + skip] === 0) skip++
  const high = raw[start + skip] ?? 0
  return size - skip + (high > 127 ? 1 : 0)
}

function writeInteger(
  der: Uint8Array,
  at: number,
  raw: Uint8Array,
  start: number,
  size: number,
  length: number,
) {
  der[at] = 0x02
  der[at + 1] = length
  const digits = Math.min(length, size)
  der.set(raw.subarray(start + size - digits, start + size), at + 2 + length - digits)
  return at + 2 + length
}

export type { VerificationKey }
