import * as crypto from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { base64url, generateKeyPair, type KeyPair, signature } from '../../../test/support/exchange.ts'
import { SIGNATURE_ALGORITHMS } from '../src/algorithms.ts'
import type { Runtime } from '../src/runtime/contract.ts'
import * as node from '../src/runtime/node.ts'
import * as web from '../src/runtime/web.ts'
import { VECTORS } from './vectors/jws.ts'

const RUNTIMES: [string, Runtime][] = [
  ['node', node],
  ['web', web],
]
const INPUT = 'eyJhbGciOiJ4In0.eyJhIjoxfQ'
const ORDERS: Record<string, bigint> = {
  ES256: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  ES384: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  ES512:
    0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
}
const SIZES: Record<string, number> = { ES256: 32, ES384: 48, ES512: 66 }

/** Keys made once: RSA ones are slow to find. */
const made = new Map<string, KeyPair>()
function keyPair(alg: string, which = 'one'): KeyPair {
  const family = /^[PR]S/.test(alg) ? 'RSA' : alg
  const key = made.get(family + which) ?? generateKeyPair(alg)
  made.set(family + which, key)
  return { ...key, alg }
}

const octets = (value: bigint, size: number) => Buffer.from(value.toString(16).padStart(size * 2, '0'), 'hex')
const integer = (bytes: Uint8Array) => BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
const sign = (key: KeyPair, input = INPUT) => Buffer.from(signature(input, key), 'base64url')

async function verdict(runtime: Runtime, key: KeyPair, bytes: Uint8Array, text = INPUT, alg = key.alg) {
  const imported = await runtime.importKey(key.publicJwk, alg)
  return runtime.verifySignature(alg, imported, text, bytes)
}

describe.each(RUNTIMES)('the %s runtime', (_, runtime) => {
  it.each(SIGNATURE_ALGORITHMS)('accepts what node:crypto signed by %s, and nothing like it', async (alg) => {
    const key = keyPair(alg)
    const good = sign(key)
    expect(await verdict(runtime, key, good)).toBe(true)
    expect(await verdict(runtime, key, good, `${INPUT}x`)).toBe(false)
    expect(await verdict(runtime, keyPair(alg, 'another'), good)).toBe(false)
    for (const at of [0, good.length >> 1, good.length - 1]) {
      const flipped = Buffer.from(good)
      flipped[at] = (flipped[at] as number) ^ 1
      expect(await verdict(runtime, key, flipped)).toBe(false)
    }
    for (const other of [
      Buffer.alloc(0),
      Buffer.alloc(1),
      Buffer.alloc(good.length),
      Buffer.alloc(good.length, 0xff),
      good.subarray(1),
      good.subarray(0, -1),
      Buffer.concat([good, Buffer.alloc(1)]),
      Buffer.concat([Buffer.alloc(1), good]),
      Buffer.concat([good, good]),
      Buffer.alloc(5000, 1),
    ]) {
      expect(await verdict(runtime, key, other)).toBe(false)
    }
  })

  it.each(VECTORS)('accepts the signature of $source', async ({ alg, jwk, input, signature }) => {
    const key = await runtime.importKey(jwk, alg)
    const bytes = Buffer.from(signature, 'base64url')
    expect(await runtime.verifySignature(alg, key, input, bytes)).toBe(true)
    expect(await runtime.verifySignature(alg, key, `${input.slice(0, -1)}_`, bytes)).toBe(false)
  })

  it.each(['ES256', 'ES384', 'ES512'])(
    'takes %s as r ‖ s, never as DER, and no number out of range [7518-3.4-length]',
    async (alg) => {
      const key = keyPair(alg)
      const size = SIZES[alg] as number
      const order = ORDERS[alg] as bigint
      const good = sign(key)
      const [r, s] = [integer(good.subarray(0, size)), integer(good.subarray(size))]
      const raw = (r: bigint, s: bigint) => Buffer.concat([octets(r, size), octets(s, size)])
      expect(await verdict(runtime, key, raw(r, s))).toBe(true)
      // The twin is as true as the signature itself: which is why nothing is ever keyed by a signature.
      expect(await verdict(runtime, key, raw(r, order - s))).toBe(true)
      const room = 1n << BigInt(size * 8)
      const numbers: [bigint, bigint][] = [
        [0n, 0n],
        [0n, s],
        [r, 0n],
        [1n, 1n],
        [order, order],
        [order, 0n],
        [0n, order],
        [order - 1n, order - 1n],
        [order + 1n, 1n],
        [room - 1n, room - 1n],
        [s, r],
      ]
      if (r + order < room) numbers.push([r + order, s])
      if (s + order < room) numbers.push([r, s + order])
      for (const [a, b] of numbers) expect(await verdict(runtime, key, raw(a, b)), `${a} ${b}`).toBe(false)
      const der = crypto.sign(`sha${alg.slice(2)}`, Buffer.from(INPUT), key.privateKey)
      expect(await verdict(runtime, key, der)).toBe(false)
    },
  )

  it.each(['ES256', 'ES384', 'ES512'])(
    'reads %s signatures with leading zeros and high bits alike',
    async (alg) => {
      const key = keyPair(alg)
      const size = SIZES[alg] as number
      const seen = new Set<string>()
      for (let i = 0; i < 5000 && seen.size < 4; i++) {
        const bytes = sign(key, `${INPUT}${i}`)
        const kinds = [0, size].flatMap((at) => {
          const [first = 0, second = 0] = [bytes[at], bytes[at + 1]]
          if (first === 0 && (alg !== 'ES512' || second < 128)) return [`zero ${at}`]
          return first > 127 || alg === 'ES512' ? [`high ${at}`] : []
        })
        if (kinds.every((kind) => seen.has(kind))) continue
        for (const kind of kinds) seen.add(kind)
        expect(await verdict(runtime, key, bytes, `${INPUT}${i}`)).toBe(true)
      }
      expect(seen.size).toBe(4)
    },
  )

  it('does not take a PSS signature for PKCS #1, nor the other way round, nor another salt length', async () => {
    const key = keyPair('RS256')
    const pss = { key: key.privateKey, padding: crypto.constants.RSA_PKCS1_PSS_PADDING }
    const by = (options: object) => crypto.sign('sha256', Buffer.from(INPUT), { ...pss, ...options } as never)
    expect(await verdict(runtime, key, sign(key), INPUT, 'PS256')).toBe(false)
    expect(await verdict(runtime, key, by({ saltLength: 32 }), INPUT, 'PS256')).toBe(true)
    expect(await verdict(runtime, key, by({ saltLength: 32 }), INPUT, 'RS256')).toBe(false)
    for (const saltLength of [0, 20, 31, 33, 190]) {
      expect(await verdict(runtime, key, by({ saltLength }), INPUT, 'PS256')).toBe(false)
    }
  })

  it.each(['PS256', 'PS384', 'PS512', 'RS256'])(
    'refuses a %s signature without its leading zero',
    async (alg) => {
      const key = keyPair(alg)
      let [text, good] = [INPUT, sign(key)]
      for (let i = 0; good[0] !== 0; i++) {
        text = `${INPUT}${i}`
        good = sign(key, text)
      }
      expect(await verdict(runtime, key, good, text)).toBe(true)
      expect(await verdict(runtime, key, good.subarray(1), text)).toBe(false)
      expect(await verdict(runtime, key, Buffer.concat([Buffer.alloc(1), good]), text)).toBe(false)
    },
  )

  it('refuses the second spelling of an Ed25519 signature, s + l', async () => {
    const key = keyPair('Ed25519')
    const good = sign(key)
    const order = 2n ** 252n + 27742317777372353535851937790883648493n
    const s = integer(Buffer.from(good.subarray(32)).reverse())
    const twin = Buffer.concat([good.subarray(0, 32), octets(s + order, 32).reverse()])
    expect(await verdict(runtime, key, good)).toBe(true)
    expect(await verdict(runtime, key, twin)).toBe(false)
  })

  it('imports no point that is not on its curve, and no second spelling of one', async () => {
    const primes: Record<string, bigint> = {
      ES256: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
      ES512: 2n ** 521n - 1n,
    }
    const attempt = async (jwk: object, alg: string) => runtime.importKey(jwk as never, alg)
    for (const alg of ['ES256', 'ES512']) {
      const { publicJwk } = keyPair(alg)
      const size = SIZES[alg] as number
      const [x, y] = [publicJwk.x, publicJwk.y].map((text) =>
        integer(Buffer.from(text as string, 'base64url')),
      ) as [bigint, bigint]
      const at = (x: bigint, y: bigint) => ({
        ...publicJwk,
        x: base64url(octets(x, size)),
        y: base64url(octets(y, size)),
      })
      await expect(attempt(at(x, y), alg)).resolves.toBeDefined()
      for (const jwk of [at(x, x), at(0n, 0n), at(x, y ^ 1n), at(1n, 1n)]) {
        await expect(attempt(jwk, alg)).rejects.toThrow()
      }
      const room = 1n << BigInt(size * 8)
      const prime = primes[alg] as bigint
      if (x + prime < room) await expect(attempt(at(x + prime, y), alg)).rejects.toThrow()
      if (y + prime < room) await expect(attempt(at(x, y + prime), alg)).rejects.toThrow()
    }
  })

  it('hashes and authenticates as node:crypto does', async () => {
    for (const text of ['', 'a', 'ä€😀', 'x'.repeat(10_000)]) {
      expect(await runtime.sha256(text)).toBe(crypto.createHash('sha256').update(text).digest('base64url'))
      const secret = crypto.randomBytes(32)
      const mac = crypto.createHmac('sha256', secret).update(text).digest('base64url')
      expect(await runtime.hmacSha256(secret, text)).toBe(mac)
    }
  })

  it('decodes base64url of every length', () => {
    for (let length = 0; length < 70; length++) {
      const bytes = crypto.randomBytes(length)
      expect(Buffer.from(runtime.decodeBase64url(bytes.toString('base64url')))).toEqual(bytes)
    }
  })
})

it('many verifications at once have the results of one after another', async () => {
  const keys = SIGNATURE_ALGORITHMS.map((alg) => keyPair(alg))
  const cases = keys.flatMap((key) => [
    { key, bytes: sign(key), expected: true },
    { key, bytes: sign(key).reverse(), expected: false },
  ])
  const results = await Promise.all(cases.map(({ key, bytes }) => verdict(node, key, bytes)))
  expect(results).toEqual(cases.map(({ expected }) => expected))
})
