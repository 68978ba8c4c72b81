import { randomUUID } from 'node:crypto'
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { memoryStore } from '../src/index.ts'
import { RESOURCE } from './support/browser.ts'
import {
  ACCESS_TOKEN,
  type Agent,
  EXCHANGE,
  IssuerUnderTest,
  type Json,
  Key,
} from './support/issuer-under-test.ts'

const test = new IssuerUnderTest()
let agent: Agent
let key: Key

beforeAll(async () => {
  await test.start()
  agent = await test.issuer.registerAgent()
  key = await Key.generate()
})
afterAll(() => test.issuer.close())

const endpoint = () => `${test.url}/oauth/token`

function send(proof: string, by = agent) {
  const credentials = { client_id: by.clientId, client_secret: by.clientSecret }
  const request = { ...credentials, grant_type: 'client_credentials', resource: RESOURCE }
  return test.post('/oauth/token', request, { dpop: proof })
}

const claims = (changes: Json) => key.proof(endpoint(), test.now, { claims: changes })
const header = (changes: Json) => key.proof(endpoint(), test.now, { header: changes })
const alias = (text = '') => `${text.slice(0, -1)}${text.endsWith('w') ? 'x' : 'v'}`

describe('a proof at the token endpoint (RFC 9449 §4.3, §5)', () => {
  it('binds the token to its key [9449-5-type]', async () => {
    const { status, body } = await send(await claims({}))
    expect(status).toBe(200)
    expect(body).toMatchObject({ token_type: 'DPoP', cnf: { jkt: key.jkt } })
    expect((await test.introspect(body.access_token)).body).toMatchObject({
      token_type: 'DPoP',
      cnf: { jkt: key.jkt },
    })
  })

  it.each<[string, () => Promise<string>]>([
    ['that is empty', async () => ''],
    ['that is no JWT', async () => 'proof'],
    ['of two parts', async () => (await claims({})).split('.').slice(0, 2).join('.')],
    ['with padding', async () => `${await claims({})}=`],
    ['that comes twice in one field', async () => `${await claims({})}, ${await claims({})}`],
    ['of 9000 characters', () => claims({ filler: 'x'.repeat(9000) })],
    ['with another typ', () => header({ typ: 'JWT' })],
    ['with no key', () => header({ jwk: undefined })],
    ['with a key id instead', () => header({ jwk: undefined, kid: 'x' })],
    ['with a private key', () => header({ jwk: { ...key.jwk, d: 'AAAA' } })],
    ['with an alias of its key', () => header({ jwk: { ...key.jwk, x: alias(key.jwk.x) } })],
    ['with a key that is padded', () => header({ jwk: { ...key.jwk, x: `AA${key.jwk.x}` } })],
    ['signed by another key', async () => header({ jwk: (await Key.generate()).jwk })],
    ['with crit', () => header({ crit: ['b64'], b64: true })],
    ['without jti', () => claims({ jti: undefined })],
    ['with an empty jti', () => claims({ jti: '' })],
    ['with a jti of 300 characters', () => claims({ jti: 'x'.repeat(300) })],
    ['with a jti that is a number', () => claims({ jti: 1 as unknown as string })],
    ['for another method', () => claims({ htm: 'GET' })],
    ['for a method in lower case', () => claims({ htm: 'post' })],
    ['for another path', () => claims({ htu: `${test.url}/oauth/introspect` })],
    ['for another port', () => claims({ htu: 'http://127.0.0.1:1/oauth/token' })],
    ['for another scheme', () => claims({ htu: endpoint().replace('http:', 'https:') })],
    ['for a host with a user', () => claims({ htu: endpoint().replace('//', '//x@') })],
    ['without htu', () => claims({ htu: undefined })],
    ['without iat', () => claims({ iat: undefined })],
    ['made 61 seconds ago', () => claims({ iat: test.now - 61 })],
    ['made 11 seconds from now', () => claims({ iat: test.now + 11 })],
    ['made at no number', () => claims({ iat: 'now' as unknown as number })],
  ])('%s is invalid_dpop_proof [9449-5-proof]', async (_what, make) => {
    expect((await send(await claims({}))).status).toBe(200)
    const { status, body } = await send(await make())
    expect([status, body.error]).toEqual([400, 'invalid_dpop_proof'])
  })

  it.each([
    ['a query and a fragment', () => claims({ htu: `${endpoint()}?a=b#c` })],
    ['a scheme in capitals', () => claims({ htu: endpoint().replace('http', 'HTTP') })],
    ['the age of 60 seconds', () => claims({ iat: test.now - 60 })],
    ['a clock 10 seconds ahead', () => claims({ iat: test.now + 10 })],
    ['claims of its own', () => claims({ nonce: 'unasked', x: 1 })],
  ])('with %s will do', async (_what, make) => {
    expect((await send(await make())).status).toBe(200)
  })

  it.each(['ES384', 'ES512', 'EdDSA', 'PS256', 'RS256'])('may be signed by %s', async (alg) => {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
    const jwk: JWK = await exportJWK(publicKey)
    const payload = { htm: 'POST', htu: endpoint(), iat: test.now, jti: randomUUID() }
    const proof = await new SignJWT(payload)
      .setProtectedHeader({ typ: 'dpop+jwt', alg, jwk })
      .sign(privateKey)
    expect((await send(proof)).body.token_type).toBe('DPoP')
  })

  it('is used once, by 20 at once too [9449-11.1-issuer]', async () => {
    const proof = await claims({})
    const answers = await Promise.all(Array.from({ length: 20 }, () => send(proof)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(new Set(answers.map(({ body }) => body.error))).toEqual(new Set([undefined, 'invalid_dpop_proof']))
  })

  it('is used once also where the store’s clock is half a minute ahead', async () => {
    const behind = new IssuerUnderTest()
    await behind.start({ store: memoryStore({ clock: () => behind.now + 30 }) })
    const by = await behind.issuer.registerAgent()
    const proof = await key.proof(`${behind.url}/oauth/token`, behind.now)
    const ask = () => {
      const request = { client_id: by.clientId, client_secret: by.clientSecret, resource: RESOURCE }
      return behind.post('/oauth/token', { ...request, grant_type: 'client_credentials' }, { dpop: proof })
    }
    expect((await ask()).status).toBe(200)
    behind.now += 60
    expect((await ask()).body.error).toBe('invalid_dpop_proof')
    await behind.issuer.close()
  })

  it('of a client that does not authenticate is not used up', async () => {
    const proof = await claims({})
    expect((await send(proof, { ...agent, clientSecret: 'x' })).body.error).toBe('invalid_client')
    expect((await send(proof)).status).toBe(200)
  })
})

describe('keys', () => {
  it('are demanded of a client that is registered for bound tokens [9449-5.2-client]', async () => {
    const bound = await test.issuer.registerAgent({ dpopBound: true })
    const request = { grant_type: 'client_credentials', resource: RESOURCE }
    expect((await test.token(bound, request)).body.error).toBe('invalid_dpop_proof')
    expect((await test.token(bound, request, key)).status).toBe(200)
  })

  it('that were rotated out can never be bound again', async () => {
    const rotating = await test.issuer.registerAgent()
    const [old, fresh] = [await Key.generate(), await Key.generate()]
    const request = { grant_type: 'client_credentials', resource: RESOURCE }
    const { access_token: token } = (await test.token(rotating, request, old)).body
    await test.issuer.rotateDpopKey(rotating.agentId, fresh.jwk)
    expect(await test.isActive(token)).toBe(false)
    const { status, body } = await test.token(rotating, request, old)
    expect([status, body.error]).toEqual([400, 'invalid_grant'])
    expect((await test.token(agent, request, old)).body.error).toBe('invalid_grant')
    expect((await test.token(rotating, request, fresh)).status).toBe(200)
  })
})

describe('the key of an agent', () => {
  it('is retired by a rotation long after its tokens, also where none of them was its own', async () => {
    const [acting, subject] = [await test.issuer.registerAgent(), await test.issuer.registerAgent()]
    const pair = { from_id: acting.clientId, to_id: subject.clientId }
    await test.admin('POST', '/admin/may-act', pair)
    const [old, fresh] = [await Key.generate(), await Key.generate()]
    const exchange = async (by: Key) => {
      const subject_token = await test.accessToken(subject)
      const fields = { grant_type: EXCHANGE, subject_token, subject_token_type: ACCESS_TOKEN }
      return (await test.token(acting, fields, by)).status
    }
    expect(await exchange(old)).toBe(200)
    test.now += 3600
    await test.issuer.rotateDpopKey(acting.agentId, fresh.jwk)
    expect([await exchange(fresh), await exchange(old)]).toEqual([200, 400])
  })
})

describe('nonces (RFC 9449 §8)', () => {
  const demanding = new IssuerUnderTest()
  let client: Agent
  beforeAll(async () => {
    await demanding.start({ nonce: true })
    client = await demanding.issuer.registerAgent()
  })
  afterAll(() => demanding.issuer.close())

  const ask = async (nonce?: string) => {
    const proof = await key.proof(`${demanding.url}/oauth/token`, demanding.now, { claims: { nonce } })
    const credentials = { client_id: client.clientId, client_secret: client.clientSecret }
    const request = { ...credentials, grant_type: 'client_credentials', resource: RESOURCE }
    return demanding.post('/oauth/token', request, { dpop: proof })
  }

  it('are asked for, given, accepted for a minute or two, and then asked for again [9449-8-issuer]', async () => {
    const first = await ask()
    expect([first.status, first.body.error]).toEqual([400, 'use_dpop_nonce'])
    const nonce = first.headers.get('dpop-nonce')!
    expect(nonce).toMatch(/^[\x21\x23-\x5b\x5d-\x7e]+$/)
    expect((await ask(nonce)).status).toBe(200)
    expect((await ask('another')).body.error).toBe('use_dpop_nonce')
    demanding.now += 60
    const later = await ask(nonce)
    expect(later.status).toBe(200)
    expect(later.headers.get('dpop-nonce')).not.toBe(nonce)
    demanding.now += 60
    expect((await ask(nonce)).body.error).toBe('use_dpop_nonce')
  })
})
