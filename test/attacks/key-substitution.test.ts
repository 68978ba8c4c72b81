import * as crypto from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { base64urlAliases } from '../support/aliases.ts'
import {
  base64url,
  type Exchange,
  generateKeyPair,
  type KeyPair,
  sha256,
  sign,
  thumbprint,
} from '../support/exchange.ts'
import { Siege } from '../support/siege.ts'

/** The attacker plays with the key that a proof shows, or with the one that a token should be verified by. */
let siege: Siege
let exchange: Exchange

beforeAll(async () => {
  siege = await Siege.start()
  exchange = siege.exchange
})
afterAll(() => siege.close())

const withJwk = (jwk: unknown, header: object = {}) => siege.withProof({ header: { jwk, ...header } })

describe('the jwk of a proof', () => {
  it('stays good with members that are no part of the key [7517-4-members]', async () => {
    await siege.allows(
      withJwk({ ...exchange.agentKey.publicJwk, kid: 'x', use: 'sig', alg: 'ES256', key_ops: ['verify'] }),
    )
  })

  it.each(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'])(
    'is refused with %s, full, empty or null [9449-4.3-7]',
    async (name) => {
      for (const value of ['AQAB', '', null, 0, []]) {
        await siege.refuses(withJwk({ ...exchange.agentKey.publicJwk, [name]: value }), 'proof_key_invalid')
      }
    },
  )

  it('is refused when it is the private key', async () => {
    const jwk = exchange.agentKey.privateKey.export({ format: 'jwk' })
    await siege.refuses(withJwk(jwk), 'proof_key_invalid')
  })

  it.each(['x', 'y'])(
    'is refused when its %s is spelled otherwise: each spelling would be another thumbprint',
    async (name) => {
      const { publicJwk } = exchange.agentKey
      const text = publicJwk[name] as string
      const zero = base64url(Buffer.concat([Buffer.alloc(1), Buffer.from(text, 'base64url')]))
      for (const alias of [zero, ...base64urlAliases(text)]) {
        await siege.refuses(withJwk({ ...publicJwk, [name]: alias }), 'proof_key_invalid')
      }
    },
  )

  it.each([
    ['absent', undefined],
    ['null', null],
    ['a string', 'jwk'],
    ['a list', [{ kty: 'EC' }]],
    ['a thumbprint', { jkt: 'x' }],
    ['symmetric', { kty: 'oct', k: 'AAAA' }],
    ['an exchange key', { kty: 'OKP', crv: 'X25519', x: 'hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo' }],
    ['of secp256k1', { ...generateKeyPair().publicJwk, crv: 'secp256k1' }],
    ['of no curve', { ...generateKeyPair().publicJwk, crv: undefined }],
  ])('is refused when it is %s', async (_, jwk) => {
    await siege.refuses(withJwk(jwk, { kid: 'k', x5c: ['AAAA'] }), 'proof_key_invalid')
  })

  it('is refused as RSA of 1024, 2047 or 8192 bits, or with exponent 1', async () => {
    const at = (jwk: object) => siege.refuses(withJwk(jwk, { alg: 'PS256' }), 'proof_key_invalid')
    for (const octets of [128, 1024])
      await at({ kty: 'RSA', n: base64url(Buffer.alloc(octets, 0xff)), e: 'AQAB' })
    const short = Buffer.alloc(256, 0xff)
    short[0] = 0x7f
    await at({ kty: 'RSA', n: base64url(short), e: 'AQAB' })
    await at({ kty: 'RSA', n: base64url(Buffer.alloc(256, 0xff)), e: 'AQ' })
  })

  it('is a 401 when its point is on no curve, though a token is bound to it [8725-3.4]', async () => {
    const { publicJwk } = exchange.agentKey
    const jwk: Record<string, unknown> = { ...publicJwk, y: publicJwk.x }
    const jkt = sha256(`{"crv":"P-256","kty":"EC","x":"${jwk.x}","y":"${jwk.y}"}`)
    const token = exchange.token({ claims: { cnf: { jkt } } })
    const proof = exchange.proof(token, { header: { jwk } })
    await siege.refuses(exchange.request({ token, proof }), 'proof_key_invalid')
  })

  it.each([
    ['the neutral point', '01', '00', '00'],
    ['the neutral point, with the other sign', '01', '00', '80'],
    ['the neutral point, spelled with p more', 'ee', 'ff', '7f'],
    ['the neutral point, spelled with p more and the other sign', 'ee', 'ff', 'ff'],
    ['a point of order two', 'ec', 'ff', '7f'],
    ['a point of order four', '00', '00', '00'],
    ['a point of order four, spelled with p more', 'ed', 'ff', '7f'],
  ])('is refused as %s, for which anybody can sign [8725-3.4]', async (_, first, middle, last) => {
    const x = Buffer.from(first + middle.repeat(30) + last, 'hex').toString('base64url')
    const jwk = { crv: 'Ed25519', kty: 'OKP', x }
    const token = exchange.token({ claims: { cnf: { jkt: thumbprint(jwk) } } })
    // R the neutral point, S zero: no private key was asked.
    const signature = Buffer.alloc(64)
    signature[0] = 1
    for (let i = 0; i < 8; i++) {
      const proof = exchange.proof(token, { header: { alg: 'EdDSA', jwk } })
      const forged = `${proof.slice(0, proof.lastIndexOf('.'))}.${signature.toString('base64url')}`
      await siege.refuses(exchange.request({ token, proof: forged }), 'proof_key_invalid')
    }
  })

  it('of another type under the same thumbprint does not exist: each type has its own members', async () => {
    const { publicJwk } = exchange.agentKey
    const jkt = sha256(`{"crv":"P-256","kty":"OKP","x":"${publicJwk.x}"}`)
    const token = exchange.token({ claims: { cnf: { jkt } } })
    const proof = exchange.proof(token, { header: { jwk: { ...publicJwk, kty: 'OKP' } } })
    await siege.refuses(exchange.request({ token, proof }), 'proof_key_invalid')
  })
})

describe('the key of a token', () => {
  it('is never the one that the token brings [8725-3.10] [7515-4.1.2]', async () => {
    const attacker = generateKeyPair('ES256', exchange.issuerKey.kid)
    const header = {
      jwk: attacker.publicJwk,
      x5c: ['AAAA'],
      jku: `${exchange.issuer}/evil`,
      x5u: `${exchange.issuer}/evil`,
    }
    exchange.answers.set('/evil', {
      body: JSON.stringify({ keys: [{ ...attacker.publicJwk, kid: attacker.kid }] }),
    })
    await siege.refuses(siege.withToken({ key: attacker, header }), 'token_signature_invalid')
    expect(exchange.requests).not.toContain('/evil')
  })

  it('is not the agent’s, though that is in the request too', async () => {
    const key = { ...exchange.agentKey, kid: exchange.issuerKey.kid }
    await siege.refuses(siege.withToken({ key }), 'token_signature_invalid')
    await siege.refuses(siege.withToken({ key: exchange.agentKey }), 'token_key_unknown')
  })

  it('of a proof is not fetched either', async () => {
    const url = `${exchange.issuer}/evil`
    await siege.allows(siege.withProof({ header: { jku: url, x5u: url, kid: 'x' } }))
    expect(exchange.requests).not.toContain('/evil')
  })
})

describe('signatures that are none', () => {
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
  const raw = (r: bigint, s: bigint) =>
    Buffer.from([r, s].map((n) => n.toString(16).padStart(64, '0')).join(''), 'hex').toString('base64url')
  const der = (key: KeyPair, input: string) => crypto.sign('sha256', Buffer.from(input), key.privateKey)
  const CASES: [string, (key: KeyPair, input: string) => string][] = [
    ['r = s = 0', () => raw(0n, 0n)],
    ['r = 0', () => raw(0n, 1n)],
    ['s = 0', () => raw(1n, 0n)],
    ['r = s = n', () => raw(order, order)],
    ['r = s = n - 1', () => raw(order - 1n, order - 1n)],
    ['all ones', () => raw(2n ** 256n - 1n, 2n ** 256n - 1n)],
    ['one octet', () => 'AA'],
    ['sixty-three octets', () => base64url(Buffer.alloc(63, 1))],
    ['sixty-five octets', () => base64url(Buffer.alloc(65, 1))],
    ['DER', (key, input) => base64url(der(key, input))],
    ['of another text', (key, input) => sign({ a: 1 }, { b: input }, key).split('.')[2] as string],
  ]

  it.each(CASES)('%s, of a token [9068-4-signature] [8725-3.3]', async (_, forge) => {
    const [h, p] = exchange.token().split('.') as [string, string]
    const token = `${h}.${p}.${forge(exchange.issuerKey, `${h}.${p}`)}`
    await siege.refuses(exchange.request({ token }), 'token_signature_invalid')
  })

  it.each(CASES)('%s, of a proof [9449-4.3-6]', async (_, forge) => {
    const token = exchange.token()
    const [h, p] = exchange.proof(token).split('.') as [string, string]
    const proof = `${h}.${p}.${forge(exchange.agentKey, `${h}.${p}`)}`
    await siege.refuses(exchange.request({ token, proof }), 'proof_signature_invalid')
  })

  it('empty, of either', async () => {
    const token = exchange.token()
    const cut = (text: string) => text.slice(0, text.lastIndexOf('.') + 1)
    await siege.refuses(exchange.request({ token: cut(token) }), 'token_malformed')
    await siege.refuses(exchange.request({ token, proof: cut(exchange.proof(token)) }), 'proof_malformed')
  })
})
