import { importJWK } from 'jose'
import type { Runtime, VerificationKey } from './contract.ts'

const encoder = new TextEncoder()
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

export const sha256: Runtime['sha256'] = async (text) =>
  encodeBase64url(new Uint8Array(await crypto.subtle.digest('SHA-256', encoder.encode(text))))

export const hmacSha256: Runtime['hmacSha256'] = async (secret, text) => {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  const key = await crypto.subtle.importKey('raw', Uint8Array.from(secret), algorithm, false, ['sign'])
  return encodeBase64url(new Uint8Array(await crypto.subtle.sign('HMAC', key, encoder.encode(text))))
}

export const decodeBase64url: Runtime['decodeBase64url'] = (text) => {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  const bytes = new Uint8Array(binary.length)
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i)
  return bytes
}

export const importKey: Runtime['importKey'] = async (jwk, algorithm) => {
  const key = await importJWK(jwk, algorithm)
  if (key instanceof Uint8Array) throw new TypeError('a symmetric key')
  return key
}

export const verifySignature: Runtime['verifySignature'] = async (algorithm, key, text, signature) => {
  if (algorithm.startsWith('PS')) {
    const { modulusLength } = (key as { algorithm: { modulusLength: number } }).algorithm
    // RFC 8017 §8.1.2 (1). OpenSSL does not look: without its leading zeros a signature would be true as well.
    if (signature.length !== Math.ceil(modulusLength / 8)) return false
  }
  try {
    return await crypto.subtle.verify(
      parameters(algorithm),
      key as Awaited<ReturnType<typeof crypto.subtle.importKey>>,
      signature as Uint8Array<ArrayBuffer>,
      encoder.encode(text),
    )
  } catch {
    return false
  }
}

function parameters(algorithm: string) {
  const hash = `SHA-${algorithm.slice(2)}`
  switch (algorithm.slice(0, 2)) {
    case 'ES':
      return { name: 'ECDSA', hash }
    case 'PS':
      return { name: 'RSA-PSS', saltLength: Number(algorithm.slice(2)) / 8 }
    case 'RS':
      return { name: 'RSASSA-PKCS1-v1_5' }
    default:
      return { name: 'Ed25519' }
  }
}

function encodeBase64url(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += 3) {
    const [a = 0, b = 0, c = 0] = [bytes[i], bytes[i + 1], bytes[i + 2]]
    const triple = (a << 16) | (b << 8) | c
    const digits = Math.min(4, Math.ceil(((bytes.length - i) * 8) / 6))
    for (let digit = 0; digit < digits; digit++) text += ALPHABET[(triple >> (18 - 6 * digit)) & 63]
  }
  return text
}

export type { VerificationKey }
