import * as crypto from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { base64urlAliases } from '../../../test/support/aliases.ts'
import { generateKeyPair } from '../../../test/support/exchange.ts'
import type { JsonObject } from '../src/json.ts'
import { isForVerification, type PublicJwk, parsePublicJwk, thumbprint } from '../src/public-jwk.ts'

const KEYS = Object.fromEntries(
  ['ES256', 'ES384', 'ES512', 'EdDSA', 'RS256'].map((alg) => [alg, generateKeyPair(alg).publicJwk]),
) as Record<string, Record<string, string>>
const ec = KEYS.ES256 as Record<string, string>
const rsa = KEYS.RS256 as Record<string, string>
const okp = KEYS.EdDSA as Record<string, string>

const bytes = (text: string | undefined) => Buffer.from(text as string, 'base64url')
const text = (...parts: readonly (Uint8Array | readonly number[])[]) =>
  Buffer.concat(parts.map((part) => Uint8Array.from(part))).toString('base64url')
const parsed = (jwk: JsonObject) => parsePublicJwk(jwk)

describe('parsePublicJwk', () => {
  it.each(Object.entries(KEYS))(
    'accepts a public key for %s and keeps its required members alone',
    (_, jwk) => {
      const key = parsed({ ...jwk, kid: 'k', alg: 'x', use: 'sig', x5c: ['…'], jku: 'https://evil.example' })
      expect(key).toEqual(jwk)
    },
  )

  describe('private and symmetric members', () => {
    const members = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']
    const cases = members.flatMap((name) =>
      ['AQAB', '', null, 0, false, []].map((value) => [name, value] as const),
    )
    it.each(cases)('refuses a key with %s: %j, of whatever type [9449-4.3-7]', (name, value) => {
      for (const jwk of Object.values(KEYS)) {
        expect(parsed(jwk)).toBeDefined()
        expect(parsed({ ...jwk, [name]: value })).toBeUndefined()
      }
    })

    it('refuses a symmetric key', () => {
      expect(parsed({ kty: 'oct', k: 'AAAA' })).toBeUndefined()
      expect(parsed({ kty: 'oct' })).toBeUndefined()
    })
  })

  describe('second spellings of one key', () => {
    const numbers = [
      ['ES256', 'x'],
      ['ES256', 'y'],
      ['ES384', 'x'],
      ['ES512', 'y'],
      ['EdDSA', 'x'],
      ['RS256', 'n'],
      ['RS256', 'e'],
    ] as const
    it.each(numbers)('refuses %s with a leading zero octet in %s [7518-6-minimal]', (alg, name) => {
      const jwk = KEYS[alg] as Record<string, string>
      for (const zeros of [[0], [0, 0], [0, 0, 0]]) {
        expect(parsed({ ...jwk, [name]: text(zeros, bytes(jwk[name])) })).toBeUndefined()
      }
    })

    it.each(numbers)('refuses %s with an alias of base64url in %s', (alg, name) => {
      const jwk = KEYS[alg] as Record<string, string>
      for (const alias of base64urlAliases(jwk[name] as string)) {
        expect(parsed({ ...jwk, [name]: alias }), alias).toBeUndefined()
      }
    })

    it('refuses a coordinate whose leading zero octet was left out', () => {
      let jwk = ec
      while (bytes(jwk.x)[0] !== 0) jwk = generateKeyPair('ES256').publicJwk
      expect(parsed(jwk)).toEqual(jwk)
      expect(parsed({ ...jwk, x: text(bytes(jwk.x).subarray(1)) })).toBeUndefined()
    })
  })

  it.each([
    ['no kty', { ...ec, kty: undefined }],
    ['an unknown kty', { ...ec, kty: 'AKP' }],
    ['kty in another case', { ...ec, kty: 'ec' }],
    ['kty as an array', { ...ec, kty: ['EC'] }],
    ['no crv', { ...ec, crv: undefined }],
    ['crv secp256k1', { ...ec, crv: 'secp256k1' }],
    ['crv from the prototype', { ...ec, crv: 'constructor' }],
    ['crv as an array', { ...ec, crv: ['P-256'] }],
    ['crv of another size', { ...ec, crv: 'P-384' }],
    ['no x', { ...ec, x: undefined }],
    ['no y', { ...ec, y: undefined }],
    ['x as a number', { ...ec, x: 1 }],
    ['x as an array', { ...ec, x: [ec.x] }],
    ['an OKP key for exchange', { ...okp, crv: 'X25519' }],
    ['an OKP key of Ed448', { ...okp, crv: 'Ed448' }],
    ['an OKP key of EC members', { ...ec, kty: 'OKP' }],
    ['an RSA key without n', { ...rsa, n: undefined }],
    ['an RSA key without e', { ...rsa, e: undefined }],
    ['an empty object', {}],
  ])('refuses %s', (_, jwk) => {
    expect(parsed(jwk)).toBeUndefined()
  })

  describe('RSA', () => {
    const modulus = (bits: number) => {
      const octets = Buffer.alloc(Math.ceil(bits / 8), 0xff)
      octets[0] = 0xff >> ((8 - (bits % 8)) % 8)
      return octets.toString('base64url')
    }
    it.each([2048, 2049, 2056, 3072, 4095, 4096])('accepts a modulus of %i bits', (bits) => {
      expect(parsed({ ...rsa, n: modulus(bits) })).toBeDefined()
    })

    it.each([512, 1024, 2040, 2041, 2047, 4097, 4104, 8192, 16384])(
      'refuses a modulus of %i bits [7518-3.3-size]',
      (bits) => {
        expect(parsed({ ...rsa, n: modulus(bits) })).toBeUndefined()
      },
    )

    it('refuses a key of 2047 bits that a runtime would verify with', () => {
      const { publicKey } = crypto.generateKeyPairSync('rsa', {
        modulusLength: 2047,
        publicKeyEncoding: { format: 'jwk' },
        privateKeyEncoding: { format: 'jwk' },
      } as never)
      expect(parsed(publicKey as never)).toBeUndefined()
    })

    it.each([[3], [17], [1, 0, 1], [0xff, 0xff, 0xff, 0xff]])(
      'accepts the exponent of octets %j…',
      (...octets) => {
        expect(parsed({ ...rsa, e: text(octets) })).toBeDefined()
      },
    )

    it.each([
      ['zero', [0]],
      ['one', [1]],
      ['two', [2]],
      ['an even number', [1, 0, 2]],
      ['65536', [1, 0, 0]],
      ['more than 32 bits', [1, 0, 0, 0, 1]],
      ['nothing', []],
    ])('refuses %s as exponent', (_, octets) => {
      expect(parsed({ ...rsa, e: text(octets) })).toBeUndefined()
    })
  })
})

describe('thumbprint', () => {
  it('is that of RFC 7638 §3.1 [7638-3]', async () => {
    const n =
      '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw'
    const key = parsed({ kty: 'RSA', n, e: 'AQAB', alg: 'RS256', kid: '2011-04-29' }) as PublicJwk
    expect(await thumbprint(key)).toBe('NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs')
  })

  it('is that of RFC 8037 A.3', async () => {
    const x = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'
    const key = parsed({ kty: 'OKP', crv: 'Ed25519', x }) as PublicJwk
    expect(await thumbprint(key)).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k')
  })

  it('is that of RFC 9449 §6.1', async () => {
    const key = parsed({
      kty: 'EC',
      x: 'l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs',
      y: '9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA',
      crv: 'P-256',
    }) as PublicJwk
    expect(await thumbprint(key)).toBe('0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I')
  })

  it.each(['ES384', 'ES512'])('is that of node:crypto alone for %s', async (alg) => {
    const pair = generateKeyPair(alg)
    expect(await thumbprint(parsed(pair.publicJwk) as PublicJwk)).toBe(pair.jkt)
  })
})

describe('isForVerification', () => {
  it.each([{}, { use: 'sig' }, { key_ops: ['verify'] }, { use: 'sig', key_ops: ['sign', 'verify'] }])(
    'accepts %j',
    (members) => expect(isForVerification({ ...ec, ...members } as never)).toBe(true),
  )

  it.each([
    { use: 'enc' },
    { use: '' },
    { use: null },
    { key_ops: [] },
    { key_ops: ['encrypt'] },
    { key_ops: 'verify' },
  ])('refuses %j [7517-4.2]', (members) =>
    expect(isForVerification({ ...ec, ...members } as never)).toBe(false),
  )
})
