import { SIGNATURE_ALGORITHMS } from '@sharkguard/core'
import { CompactSign, exportJWK, generateKeyPair } from 'jose'
import type { Runtime } from '../../../packages/core/src/runtime/contract.ts'
import * as web from '../../../packages/core/src/runtime/web.ts'
import { VECTORS } from '../../../packages/core/test/vectors/jws.ts'
import { equal, it } from './cases.ts'

/** Both sides of core's one seam, wherever they load: what `node:crypto` and WebCrypto make of signatures here. */
export async function signatures(): Promise<void> {
  const seams: [string, Runtime][] = [['WebCrypto', web]]
  // Where there is no node:crypto there is one side less to test.
  const node = await import('../../../packages/core/src/runtime/node.ts').catch(() => undefined)
  if (node !== undefined) seams.push(['node:crypto', node])

  for (const [name, runtime] of seams) {
    for (const { source, alg, jwk, input, signature } of VECTORS) {
      it(`${name} accepts the signature of ${source}, and no bit of it changed`, async () => {
        const key = await runtime.importKey(jwk, alg)
        const bytes = runtime.decodeBase64url(signature)
        equal(await runtime.verifySignature(alg, key, input, bytes), true)
        equal(await runtime.verifySignature(alg, key, `${input}x`, bytes), false)
        for (const at of [0, bytes.length >> 1, bytes.length - 1]) {
          const flipped = Uint8Array.from(bytes)
          flipped[at] = (flipped[at] as number) ^ 1
          equal(await runtime.verifySignature(alg, key, input, flipped), false, `octet ${at}`)
        }
      })
    }

    for (const alg of SIGNATURE_ALGORITHMS) {
      it(`${name} verifies ${alg}, and takes nothing of another length for it`, async () => {
        const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
        const key = await runtime.importKey(await exportJWK(publicKey), alg)
        // Often enough that r and s have had leading zeros and high bits.
        for (let i = 0; i < (alg === 'ES256' ? 300 : 5); i++) {
          const jws = await new CompactSign(new TextEncoder().encode(`payload ${i}`))
            .setProtectedHeader({ alg })
            .sign(privateKey)
          const [header = '', payload = '', signature = ''] = jws.split('.')
          const [text, bytes] = [`${header}.${payload}`, runtime.decodeBase64url(signature)]
          equal(await runtime.verifySignature(alg, key, text, bytes), true, jws)
          if (i > 0) continue
          const wrong = [
            new Uint8Array(0),
            bytes.subarray(1),
            bytes.subarray(0, -1),
            Uint8Array.from([...bytes, 0]),
            Uint8Array.from([0, ...bytes]),
            new Uint8Array(bytes.length),
            new Uint8Array(bytes.length).fill(255),
            new Uint8Array(5000),
          ]
          for (const other of wrong) {
            equal(await runtime.verifySignature(alg, key, text, other), false, `${other.length} octets`)
          }
        }
      })
    }

    it(`${name} refuses an RSA-PSS signature without its leading zero`, async () => {
      const { publicKey, privateKey } = await generateKeyPair('PS256', { extractable: true })
      const key = await runtime.importKey(await exportJWK(publicKey), 'PS256')
      const algorithm = { name: 'RSA-PSS', saltLength: 32 }
      let bytes = new Uint8Array([1])
      while (bytes[0] !== 0) {
        bytes = new Uint8Array(
          await crypto.subtle.sign(algorithm, privateKey, new TextEncoder().encode('text')),
        )
      }
      equal(await runtime.verifySignature('PS256', key, 'text', bytes), true)
      equal(await runtime.verifySignature('PS256', key, 'text', bytes.subarray(1)), false)
    })

    it(`${name} takes numbers of ES256 only in their range`, async () => {
      const order = 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'
      const octets = (hex: string) => (hex.match(/../g) as string[]).map((pair) => Number.parseInt(pair, 16))
      const [zero, one] = ['00'.repeat(32), `${'00'.repeat(31)}01`]
      const { alg, jwk, input } = VECTORS[0]
      const key = await runtime.importKey(jwk, alg)
      for (const [r, s] of [
        [zero, zero],
        [zero, one],
        [one, zero],
        [one, one],
        [order, order],
        [order, one],
      ]) {
        const bytes = Uint8Array.from(octets(`${r}${s}`))
        equal(await runtime.verifySignature(alg, key, input, bytes), false, `${r} ${s}`)
      }
    })

    it(`${name} verifies nothing with a point that is not on its curve`, async () => {
      const vector = VECTORS.find(({ alg }) => alg === 'ES256')
      if (vector === undefined || !('y' in vector.jwk)) throw new Error('no vector with a curve')
      const { jwk, alg, input, signature } = vector
      const none = 'A'.repeat(43)
      for (const broken of [
        { ...jwk, y: jwk.x },
        { ...jwk, x: none, y: none },
        { ...jwk, y: none },
      ]) {
        // Most runtimes do not import it. Deno does, and then finds every signature false.
        const verdict = await (async () => {
          const key = await runtime.importKey(broken, alg)
          return runtime.verifySignature(alg, key, input, runtime.decodeBase64url(signature))
        })().catch(() => false)
        equal(verdict, false)
      }
    })

    it(`${name} hashes, authenticates and decodes by the published examples`, async () => {
      equal(await runtime.sha256('abc'), 'ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0')
      equal(await runtime.sha256(''), '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU')
      // RFC 4231 §4.3
      const secret = new TextEncoder().encode('Jefe')
      const mac = await runtime.hmacSha256(secret, 'what do ya want for nothing?')
      equal(mac, 'W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM')
      equal([...runtime.decodeBase64url('_-8')], [255, 239])
    })
  }
}
