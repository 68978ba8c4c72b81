import * as crypto from 'node:crypto'
import { performance } from 'node:perf_hooks'
import * as process from 'node:process'
import type { JWK } from 'jose'
import type { Runtime, VerificationKey } from './contract.ts'
import { derSignature } from './der.ts'
import { createTurns } from './turn.ts'

export const sha256: Runtime['sha256'] = (text) => crypto.hash('sha256', text, 'base64url')

export const hmacSha256: Runtime['hmacSha256'] = (key, text) =>
  crypto.createHmac('sha256', key).update(text).digest('base64url')

export const decodeBase64url: Runtime['decodeBase64url'] = (text) => Buffer.from(text, 'base64url')

export const importKey: Runtime['importKey'] = (jwk, algorithm) => {
  const key = crypto.createPublicKey({ key: jwk as JWK & crypto.JsonWebKey, format: 'jwk' })
  if (algorithm.startsWith('PS')) {
    const { RSA_PKCS1_PSS_PADDING: padding, RSA_PSS_SALTLEN_DIGEST: saltLength } = crypto.constants
    const octets = Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8)
    return { key, padding, saltLength, octets } satisfies PssKey
  }
  return key
}

/** What `crypto.verify` takes for RSA-PSS, with the length that each signature by the key has. */
interface PssKey extends crypto.VerifyKeyObjectInput {
  readonly octets: number
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
    case 'PS256':
    case 'PS384':
    case 'PS512':
      // RFC 8017 §8.1.2 (1). OpenSSL does not look: without its leading zeros a signature would be true as well.
      if (signature.length !== (key as PssKey).octets) return false
      return verify(`sha${algorithm.slice(2)}`, data, input, signature)
    default:
      return verify(`sha${algorithm.slice(2)}`, data, input, signature)
  }
}

/** Elsewhere than on Node nobody counts turns; then each verification counts as alone. */
const turns = createTurns(
  () => performance.nodeTiming?.uvMetricsInfo?.loopCount ?? Number.NaN,
  (task) => process.nextTick(task),
)

function verify(digest: string | null, data: Buffer, key: crypto.KeyObject, signature: Uint8Array) {
  if (turns.mayRunHere()) return crypto.verify(digest, data, key, signature)
  return verifyInThreadPool(digest, data, key, signature)
}

function verifyInThreadPool(
  digest: string | null,
  data: Buffer,
  key: crypto.KeyObject,
  signature: Uint8Array,
) {
  return new Promise<boolean>((resolve) => {
    crypto.verify(digest, data, key, signature, (error, valid) => {
      turns.comeBack()
      resolve(error === null && valid)
    })
    turns.leave()
  })
}

export type { VerificationKey }
