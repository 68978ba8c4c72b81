import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type IssuerStore, memoryStore, StoreUnavailable } from '../src/index.ts'
import { RESOURCE } from './support/browser.ts'
import { type Agent, type Fields, IssuerUnderTest, type Json, Key } from './support/issuer-under-test.ts'

const TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const test = new IssuerUnderTest()
let key: Key
let agent: Agent
let secretive: Agent

beforeAll(async () => {
  await test.start()
  key = await Key.generate()
  agent = await test.issuer.registerAgent({ authMethod: 'private_key_jwt', jwks: { keys: [key.jwk] } })
  secretive = await test.issuer.registerAgent()
})
afterAll(() => test.issuer.close())

const assertion = (changes: Json = {}, by = key, header: Json = {}) => {
  const { clientId } = agent
  const times = { iat: test.now, exp: test.now + 60 }
  return by.sign(
    { iss: clientId, sub: clientId, aud: test.url, jti: randomUUID(), ...times, ...changes },
    header,
  )
}

const send = (client_assertion: string, fields: Fields = {}, headers = {}) =>
  test.post(
    '/oauth/token',
    {
      grant_type: 'client_credentials',
      resource: RESOURCE,
      client_assertion,
      client_assertion_type: TYPE,
      ...fields,
    },
    headers,
  )

describe('private_key_jwt (RFC 7523)', () => {
  it('needs no secret, and none is given out [9700-2.5]', async () => {
    expect(agent.clientSecret).toBe('')
    expect((await send(await assertion())).status).toBe(200)
    expect((await send(await assertion(), { client_id: agent.clientId })).status).toBe(200)
  })

  it('is for the issuer or its token endpoint', async () => {
    for (const aud of [`${test.url}/oauth/token`, [test.url]]) {
      expect((await send(await assertion({ aud }))).status).toBe(200)
    }
  })

  it.each<[string, () => Promise<string>]>([
    ['of another key', async () => assertion({}, await Key.generate())],
    ['of another issuer', () => assertion({ iss: 'https://other.example' })],
    ['for another client', () => assertion({ sub: secretive.clientId, iss: secretive.clientId })],
    ['of nobody', () => assertion({ sub: undefined })],
    ['for another server', () => assertion({ aud: 'https://other.example' })],
    ['for a part of this one', () => assertion({ aud: `${test.url}/oauth` })],
    ['for several servers', () => assertion({ aud: [test.url, 'https://other.example'] })],
    ['for no server', () => assertion({ aud: undefined })],
    ['that does not expire', () => assertion({ exp: undefined })],
    ['that has expired', () => assertion({ exp: test.now - 11 })],
    ['that lives for more than an hour', () => assertion({ exp: test.now + 3601 })],
    ['that is not valid yet', () => assertion({ nbf: test.now + 60 })],
    ['without jti', () => assertion({ jti: undefined })],
    ['with a long jti', () => assertion({ jti: 'x'.repeat(300) })],
    ['that is no JWT', async () => 'assertion'],
    ['without a signature', async () => (await assertion()).replace(/[^.]+$/, '')],
  ])('%s is invalid_client', async (_what, make) => {
    expect((await send(await assertion())).status).toBe(200)
    const { status, body } = await send(await make())
    expect([status, body.error]).toEqual([401, 'invalid_client'])
  })

  it('is used once, by 20 at once too, until it has expired', async () => {
    const once = await assertion()
    const answers = await Promise.all(Array.from({ length: 20 }, () => send(once)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    test.now += 65
    expect((await send(once)).status).toBe(401)
  })

  it('is used once also where the store’s clock is half a minute ahead', async () => {
    const behind = new IssuerUnderTest()
    await behind.start({ store: memoryStore({ clock: () => behind.now + 30 }) })
    const jwks = { keys: [key.jwk] }
    const { clientId } = await behind.issuer.registerAgent({ authMethod: 'private_key_jwt', jwks })
    const claims = { iss: clientId, sub: clientId, aud: behind.url, jti: 'once', exp: behind.now + 60 }
    const fields = { grant_type: 'client_credentials', resource: RESOURCE, client_assertion_type: TYPE }
    const once = { ...fields, client_assertion: await key.sign(claims) }
    expect((await behind.post('/oauth/token', once)).status).toBe(200)
    behind.now += 45
    expect((await behind.post('/oauth/token', once)).body.error).toBe('invalid_client')
    await behind.issuer.close()
  })

  it('whose sub is no text is not looked up: a store need not take it', async () => {
    const store = memoryStore()
    const strict = new IssuerUnderTest()
    const get: IssuerStore['get'] = async (kind, id) => {
      if (typeof id !== 'string') throw new StoreUnavailable('ids are texts')
      return store.get(kind, id)
    }
    await strict.start({ store: { ...store, get } })
    for (const sub of ['nobody', 7]) {
      const client_assertion = await key.sign({ sub: sub as string })
      const fields = { grant_type: 'client_credentials', client_assertion, client_assertion_type: TYPE }
      const { status, body } = await strict.post('/oauth/token', fields)
      expect([status, body.error]).toEqual([401, 'invalid_client'])
    }
    await strict.issuer.close()
  })

  it('does not go together with anything else', async () => {
    const { clientId } = agent
    const basic = { authorization: `Basic ${btoa(`${clientId}:x`)}` }
    expect((await send(await assertion(), {}, basic)).body.error).toBe('invalid_request')
    expect((await send(await assertion(), { client_secret: 'x' })).body.error).toBe('invalid_request')
    expect((await send(await assertion(), { client_assertion_type: 'x' })).body.error).toBe('invalid_request')
    expect((await send('', {})).body.error).toBe('invalid_request')
    expect((await send(await assertion(), { client_id: secretive.clientId })).body.error).toBe(
      'invalid_client',
    )
  })

  it('is the only way for a client that registered it, and no way for another', async () => {
    const request = { grant_type: 'client_credentials', resource: RESOURCE }
    expect((await test.token({ clientId: agent.clientId }, request)).body.error).toBe('invalid_client')
    const guess = { clientId: agent.clientId, clientSecret: 'x' }
    expect((await test.token(guess, request)).body.error).toBe('invalid_client')
  })

  it('may be used to introspect and to revoke', async () => {
    const token = (await send(await assertion())).body.access_token
    const credentials = async () => ({ client_assertion: await assertion(), client_assertion_type: TYPE })
    const introspection = await test.post('/oauth/introspect', { token, ...(await credentials()) })
    expect(introspection.body.active).toBe(true)
    expect((await test.post('/oauth/revoke', { token, ...(await credentials()) })).status).toBe(200)
    expect(await test.isActive(token)).toBe(false)
  })

  it.each<[string, Json]>([
    ['no keys', {}],
    ['an empty set', { jwks: { keys: [] } }],
    ['a secret key', { jwks: { keys: [{ kty: 'oct', k: 'AAAA' }] } }],
    ['an address of keys', { jwks_uri: 'https://client.example/jwks' }],
    ['no set', { jwks: 'x' }],
  ])('is not registered with %s', async (_what, metadata) => {
    const body = { name: 'x', token_endpoint_auth_method: 'private_key_jwt', ...metadata }
    const answer = await test.admin('POST', '/agents', body)
    expect([answer.status, answer.body.error]).toEqual([400, 'invalid_client_metadata'])
  })

  it('is not registered with a private key', async () => {
    const keys = [{ ...key.jwk, d: 'AAAA' }]
    const body = { name: 'x', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys } }
    expect((await test.admin('POST', '/agents', body)).status).toBe(400)
  })
})
