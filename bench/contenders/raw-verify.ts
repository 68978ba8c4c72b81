import * as crypto from 'node:crypto'
import type { Check } from '../contender.ts'
import type { Exchange } from '../world.ts'

/**
 * The limit: `crypto.verify` of the proof's signature and nothing else, synchronously, with a warm key and everything in
 * the form that OpenSSL wants. Nobody who verifies a fresh proof can be faster on one core.
 */
export function rawVerify(exchange: Exchange): Check {
  const { digest, data, key, signature } = rawInput(exchange)
  return () => crypto.verify(digest, data, key, signature)
}

/** The same where many cores are at hand. */
export function rawVerifyInThreadPool(exchange: Exchange): Check {
  const { digest, data, key, signature } = rawInput(exchange)
  return () =>
    new Promise((resolve, reject) => {
      crypto.verify(digest, data, key, signature, (error, valid) => (error ? reject(error) : resolve(valid)))
    })
}

function rawInput({ client, proof }: Exchange) {
  const end = proof.lastIndexOf('.')
  const data = Buffer.from(proof.slice(0, end), 'latin1')
  const signature = Buffer.from(proof.slice(end + 1), 'base64url')
  const key = client.keys.publicKey
  if (client.keys.jwk.kty === 'OKP') return { digest: null, data, key, signature }
  return { digest: 'sha256', data, key, signature: toDer(signature) }
}

function toDer(signature: Buffer): Buffer {
  const integers = [signature.subarray(0, 32), signature.subarray(32)].map((number) => {
    let start = 0
    while (start < 31 && number[start] === 0) start++
    const digits = number.subarray(start)
    const octets = (digits[0] ?? 0) > 127 ? Buffer.concat([Buffer.of(0), digits]) : digits
    return Buffer.concat([Buffer.of(0x02, octets.length), octets])
  })
  const body = Buffer.concat(integers)
  return Buffer.concat([Buffer.of(0x30, body.length), body])
}
