import * as crypto from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { base64url, Exchange, generateKeyPair, type KeyPair, signText } from '../support/exchange.ts'
import { Siege } from '../support/siege.ts'

/** The attacker chooses the algorithm, since `alg` is in what the attacker writes. */
let siege: Siege
let exchange: Exchange

beforeAll(async () => {
  exchange = await Exchange.start('https://mcp.example.com/mcp', 'RS256')
  siege = await Siege.start({}, exchange)
})
afterAll(() => siege.close())

const NONE = ['none', 'None', 'NONE', 'nOnE', 'none ', '', null, undefined, [], ['none'], 0, false, {}]

describe('alg none', () => {
  const unsigned = (text: string, alg: unknown, signature: string) => {
    const [h, p] = text.split('.') as [string, string]
    const header = { ...(JSON.parse(Buffer.from(h, 'base64url').toString()) as object), alg }
    return `${base64url(JSON.stringify(header))}.${p}.${signature}`
  }

  it.each(NONE)('%j, of a token [9068-4-signature] [8725-3.2] [7515-4.1.1]', async (alg) => {
    const token = exchange.token()
    const old = token.split('.')[2] as string
    await siege.refuses(exchange.request({ token: unsigned(token, alg, '') }), 'token_malformed')
    await siege.refuses(exchange.request({ token: unsigned(token, alg, old) }), 'token_algorithm_unsupported')
  })

  it.each(NONE)('%j, of a proof [9449-4.3-5] [9449-11.6-alg] [SEP-D10]', async (alg) => {
    const token = exchange.token()
    const proof = exchange.proof(token)
    const old = proof.split('.')[2] as string
    await siege.refuses(exchange.request({ token, proof: unsigned(proof, alg, '') }), 'proof_malformed')
    await siege.refuses(
      exchange.request({ token, proof: unsigned(proof, alg, old) }),
      'proof_algorithm_unsupported',
    )
  })
})

describe('a symmetric algorithm', () => {
  const secrets: [string, (key: KeyPair) => crypto.BinaryLike][] = [
    ['the public key as PEM', (key) => pem(key)],
    ['the PEM with a space before it', (key) => ` ${pem(key)}`],
    ['the PEM with a line break before it', (key) => `\n${pem(key)}`],
    ['the PEM without its last line break', (key) => pem(key).trimEnd()],
    ['the PEM as PKCS #1', (key) => publicKey(key).export({ type: 'pkcs1', format: 'pem' })],
    ['the public key as DER', (key) => publicKey(key).export({ type: 'spki', format: 'der' })],
    ['the JWK', (key) => JSON.stringify(key.publicJwk)],
    [
      'the published JWK',
      (key) => JSON.stringify({ ...key.publicJwk, kid: key.kid, alg: key.alg, use: 'sig' }),
    ],
    ['the modulus', (key) => Buffer.from(key.publicJwk.n as string, 'base64url')],
    ['the modulus as text', (key) => key.publicJwk.n as string],
    ['the kid', (key) => key.kid],
    ['nothing', () => ''],
  ]

  it.each(secrets)('with %s as its secret, of a token [8725-3.1]', async (_, secret) => {
    for (const alg of ['HS256', 'HS384', 'HS512']) {
      const [h, p] = exchange.token({ header: { alg } }).split('.') as [string, string]
      const mac = crypto.createHmac(`sha${alg.slice(2)}`, secret(exchange.issuerKey)).update(`${h}.${p}`)
      const token = `${h}.${p}.${mac.digest('base64url')}`
      await siege.refuses(exchange.request({ token }), 'token_algorithm_unsupported')
    }
  })

  it('with the secret in the proof itself', async () => {
    const jwk = { kty: 'oct', k: base64url('secret') }
    const token = exchange.token()
    const [h, p] = exchange.proof(token, { header: { alg: 'HS256', jwk } }).split('.') as [string, string]
    const mac = crypto.createHmac('sha256', 'secret').update(`${h}.${p}`).digest('base64url')
    await siege.refuses(exchange.request({ token, proof: `${h}.${p}.${mac}` }), 'proof_algorithm_unsupported')
  })
})

describe('an algorithm that is not the key’s', () => {
  it.each(['PS256', 'RS384', 'RS512', 'PS512'])(
    'a key published for RS256 verifies no %s [8725-3.1]',
    async (alg) => {
      const key = { ...exchange.issuerKey, alg }
      await siege.refuses(siege.withToken({ key }), 'token_key_unknown')
    },
  )

  it.each(['ES256', 'ES384', 'EdDSA'])('an RSA key verifies no %s', async (alg) => {
    await siege.refuses(siege.withToken({ header: { alg } }), 'token_key_unknown')
  })

  it.each(['ES384', 'ES512', 'EdDSA', 'PS256'])('a P-256 key in a proof does not fit %s', async (alg) => {
    await siege.refuses(siege.withProof({ header: { alg } }), 'proof_key_invalid')
  })

  it('a P-384 key does not fit ES256, nor Ed448 or X25519 EdDSA', async () => {
    const jwk = generateKeyPair('ES384').publicJwk
    await siege.refuses(siege.withProof({ header: { jwk } }), 'proof_key_invalid')
    for (const crv of ['Ed448', 'X25519']) {
      const jwk = { ...generateKeyPair('EdDSA').publicJwk, crv }
      await siege.refuses(siege.withProof({ header: { alg: 'EdDSA', jwk } }), 'proof_key_invalid')
    }
  })

  it('an RSA key published without alg verifies what is configured and nothing else', async () => {
    const { publicJwk, kid } = exchange.issuerKey
    const other = await Exchange.start(exchange.resource, 'RS256')
    other.answers.set('/jwks', { body: JSON.stringify({ keys: [{ ...publicJwk, kid }] }) })
    const strict = await Siege.start({ issuer: { issuer: other.issuer, algorithms: ['PS256'] } }, other)
    const by = (alg: string) => other.token({ key: { ...exchange.issuerKey, alg } })
    const ask = async (alg: string) => strict.guard.verify(other.request({ token: by(alg) }))
    expect((await ask('PS256')).ok).toBe(true)
    for (const alg of ['RS256', 'PS384', 'RS512']) {
      expect(await ask(alg)).toMatchObject({ ok: false, reason: 'token_algorithm_unsupported' })
    }
    await strict.close()
  })
})

describe('PKCS #1 v1.5 and PSS', () => {
  it('are not taken for one another', async () => {
    const { publicJwk, kid } = exchange.issuerKey
    const other = await Exchange.start(exchange.resource, 'RS256')
    other.answers.set('/jwks', { body: JSON.stringify({ keys: [{ ...publicJwk, kid }] }) })
    const both = await Siege.start({}, other)
    for (const [named, signed] of [
      ['RS256', 'PS256'],
      ['PS256', 'RS256'],
      ['RS256', 'RS384'],
    ] as const) {
      const [h, p] = other.token({ key: exchange.issuerKey, header: { alg: named } }).split('.') as [
        string,
        string,
      ]
      const text = (part: string) => Buffer.from(part, 'base64url').toString()
      const token = signText(text(h), text(p), exchange.issuerKey, signed)
      const verdict = await both.guard.verify(other.request({ token }))
      expect(verdict).toMatchObject({ ok: false, reason: 'token_signature_invalid' })
    }
    await both.close()
  })
})

it('RS256 is no algorithm of proofs unless it is configured', async () => {
  const key = generateKeyPair('RS256')
  const token = exchange.token({ claims: { cnf: { jkt: key.jkt } } })
  const proof = () => exchange.proof(token, { key })
  await siege.refuses(exchange.request({ token, proof: proof() }), 'proof_algorithm_unsupported')
  const permitted = siege.beside({ proofAlgorithms: ['RS256'] })
  await permitted.allows(exchange.request({ token, proof: proof() }))
  await permitted.guard.close()
})

function publicKey({ publicJwk }: KeyPair) {
  return crypto.createPublicKey({ key: publicJwk, format: 'jwk' } as never)
}

function pem(key: KeyPair): string {
  return publicKey(key).export({ type: 'spki', format: 'pem' }) as string
}
