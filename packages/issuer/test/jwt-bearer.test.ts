import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { decodeJwt, UnsecuredJWT } from 'jose'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createIssuer, type IssuerOptions, memoryStore } from '../src/index.ts'
import { RESOURCE } from './support/browser.ts'
import { documentOf, json, startDocuments } from './support/documents.ts'
import { IdentityProvider, LIFETIME } from './support/identity-provider.ts'
import {
  type Agent,
  type Answer,
  type Fields,
  IssuerUnderTest,
  type Json,
  Key,
  OTHER_RESOURCE,
} from './support/issuer-under-test.ts'

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const test = new IssuerUnderTest()
let idp: IdentityProvider
let agent: Agent

beforeAll(async () => {
  idp = await IdentityProvider.start(() => test.now)
  await test.start({
    trustedIdentityProviders: [{ issuer: idp.issuer }],
    resources: [RESOURCE, OTHER_RESOURCE],
    registration: { scopes: ['notes:*', 'notes:read', 'notes:write'] },
  })
  agent = await test.issuer.registerAgent({ grantTypes: [JWT_BEARER] })
})
afterAll(async () => {
  await test.issuer.close()
  await idp.close()
})
beforeEach(() => {
  test.now += 3600
})

const assertion = (claims: Json = {}, header: Json = {}, by = idp) => {
  const what = { resource: RESOURCE, scope: 'notes:read notes:write' }
  return by.assertion({ aud: test.url, client_id: agent.clientId, ...what, ...claims }, header)
}
const redeem = (assertion: string, fields: Fields = {}, key?: Key, client = agent, at = test) =>
  at.token(client, { grant_type: JWT_BEARER, assertion, ...fields }, key)
const authentication = async (key: Key, clientId: string, aud: string): Promise<Fields> => {
  const times = { iat: test.now, exp: test.now + 60, jti: randomUUID() }
  return {
    client_assertion: await key.sign({ iss: clientId, sub: clientId, aud, ...times }),
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  }
}
const outcome = ({ status, body }: Answer) => [status, body.error]

const lastEvent = async () => (await test.admin('GET', `/agents/${agent.agentId}/audit?limit=1`)).body.data[0]

describe('an assertion of a trusted identity provider', () => {
  it('gets a token in its user’s name, for its resource and scope, and no other [JAG-4.4.1-answer] [JAG-4.4.3-refresh] [EMA-5.1-aud]', async () => {
    const { status, headers, body } = await redeem(await assertion())
    expect([status, headers.get('cache-control')]).toEqual([200, 'no-store'])
    expect(body).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 300,
      scope: 'notes:read notes:write',
      resource: RESOURCE,
    })
    expect(decodeJwt(body.access_token)).toMatchObject({
      iss: test.url,
      sub: 'U019488227',
      aud: RESOURCE,
      client_id: agent.clientId,
      scope: 'notes:read notes:write',
      iat: test.now,
    })
    expect(await test.isActive(body.access_token)).toBe(true)
  })

  it('leaves an audit event without itself', async () => {
    const text = await assertion()
    await redeem(text)
    const event = await lastEvent()
    expect(event).toMatchObject({
      action: 'oauth.identity_assertion_granted',
      details: {
        client_id: agent.clientId,
        user_id: 'U019488227',
        identity_provider: idp.issuer,
        scope: 'notes:read notes:write',
        resources: [RESOURCE],
      },
    })
    expect(JSON.stringify(event)).not.toContain(text)
  })

  it.each(['ES384', 'PS256', 'RS256', 'EdDSA'])('may be signed with %s', async (alg) => {
    await idp.rotate(alg)
    expect((await redeem(await assertion())).status).toBe(200)
  })

  it('may name its audience in a list of one', async () => {
    expect((await redeem(await assertion({ aud: [test.url] }))).status).toBe(200)
  })

  it('makes the subject’s prefix ours where the provider has one', async () => {
    const own = await new IssuerUnderTest().start({
      clock: () => test.now,
      trustedIdentityProviders: [{ issuer: idp.issuer, subjectPrefix: 'acme|' }],
    })
    const client = await own.issuer.registerAgent({ grantTypes: [JWT_BEARER] })
    const text = await assertion({ aud: own.url, client_id: client.clientId })
    const { body } = await redeem(text, {}, undefined, client, own)
    expect(decodeJwt(body.access_token).sub).toBe('acme|U019488227')
    await own.issuer.close()
  })
})

describe('invalid_grant for an assertion', () => {
  const refused = async (answer: Answer) => {
    expect(outcome(answer)).toEqual([400, 'invalid_grant'])
  }
  const stranger = async (claims: Json = {}) => {
    const other = await IdentityProvider.start(() => test.now)
    const text = await assertion(claims, {}, other)
    await other.close()
    return { other, text }
  }

  it('that another key signed [EMA-7.4.1-signature]', async () => {
    const { text } = await stranger({ iss: idp.issuer })
    await refused(await redeem(text))
    const right = await assertion()
    await refused(await redeem(`${right.slice(0, -4)}AAAA`))
    const [head, , signature] = right.split('.')
    const [, body] = (await assertion({ sub: 'U1' })).split('.')
    await refused(await redeem([head, body, signature].join('.')))
  })

  it('of a provider that is not trusted, whose keys are not even asked for [EMA-7.4.1-claims]', async () => {
    const { text, other } = await stranger()
    await refused(await redeem(text))
    expect(other.seen).toEqual([])
  })

  it('that nobody signed, or with what is no algorithm of the provider [EMA-7.4.1-algorithm]', async () => {
    const claims = decodeJwt(await assertion())
    await refused(await redeem(new UnsecuredJWT(claims).encode()))
    const strict = await new IssuerUnderTest().start({
      clock: () => test.now,
      trustedIdentityProviders: [{ issuer: idp.issuer, algorithms: ['RS256'] }],
    })
    const client = await strict.issuer.registerAgent({ grantTypes: [JWT_BEARER] })
    const text = await assertion({ aud: strict.url, client_id: client.clientId })
    await refused(await redeem(text, {}, undefined, client, strict))
    await strict.issuer.close()
  })

  it.each([
    undefined,
    'JWT',
    'jwt',
    'at+jwt',
    'oauth-id-jag',
    'OAUTH-ID-JAG+JWT',
    'application/oauth-id-jag+jwt',
  ])('of type %s [JAG-4.4.1-typ]', async (typ) => {
    await refused(await redeem(await assertion({}, { typ })))
  })

  it.each<[string, () => Json]>([
    ['of its provider, with a slash more', () => ({ iss: `${idp.issuer}/` })],
    ['without iss', () => ({ iss: undefined })],
    ['without sub', () => ({ sub: undefined })],
    ['with an empty sub', () => ({ sub: '' })],
    ['with an endless sub', () => ({ sub: 'x'.repeat(256) })],
    ['with a sub of two lines', () => ({ sub: 'a\nb' })],
    ['without jti', () => ({ jti: undefined })],
    ['with an empty jti', () => ({ jti: '' })],
    ['with a jti that is no text', () => ({ jti: 7 })],
    ['without exp', () => ({ exp: undefined })],
    ['without iat', () => ({ iat: undefined })],
    ['without client_id', () => ({ client_id: undefined })],
    ['without aud', () => ({ aud: undefined })],
  ])('%s [JAG-3.1-claims]', async (_name, claims) => {
    await refused(await redeem(await assertion(claims())))
  })

  it.each<[string, () => unknown]>([
    ['another server', () => 'https://other.example'],
    ['us, with a slash more', () => `${test.url}/`],
    ['our token endpoint', () => `${test.url}/oauth/token`],
    ['the resource', () => RESOURCE],
    ['us and another server', () => [test.url, 'https://other.example']],
    ['us twice', () => [test.url, test.url]],
    ['nobody', () => []],
  ])('for %s [JAG-4.4.1-aud]', async (_name, aud) => {
    await refused(await redeem(await assertion({ aud: aud() })))
  })

  it.each<[string, () => Json]>([
    ['that has expired', () => ({ iat: test.now - 600, exp: test.now - 10 })],
    ['that is of the future', () => ({ iat: test.now + 11, exp: test.now + 60 })],
    ['that is not valid yet', () => ({ nbf: test.now + 11 })],
    ['that lives for more than an hour', () => ({ exp: test.now + 3601 })],
    ['that was to live for more than an hour', () => ({ iat: test.now - 7200, exp: test.now + 60 })],
    ['that ended before it began', () => ({ iat: test.now + 5, exp: test.now - 5 })],
    ['with an exp that is no number', () => ({ exp: String(test.now + 60) })],
    ['with an iat that is no number', () => ({ iat: 'now' })],
  ])('%s [EMA-7.4.2-time]', async (_name, claims) => {
    await refused(await redeem(await assertion(claims())))
  })

  it('but not for clocks that differ by seconds', async () => {
    for (const times of [
      { iat: test.now - 60, exp: test.now - 9 },
      { iat: test.now + 10, exp: test.now + 60 },
      { exp: test.now + 3600 },
    ]) {
      expect((await redeem(await assertion(times))).status).toBe(200)
    }
  })

  it('that comes a second time, as long as it could [EMA-7.4.2-jti]', async () => {
    const text = await assertion()
    expect((await redeem(text)).status).toBe(200)
    await refused(await redeem(text))
    expect(await lastEvent()).toMatchObject({ action: 'oauth.identity_assertion_reused' })
    test.now += LIFETIME + 9
    await refused(await redeem(text))
    const { jti } = decodeJwt(text)
    test.now -= LIFETIME + 9
    await refused(await redeem(await assertion({ jti, sub: 'U1' })))
  })

  it('that has come to another instance before, or to many at once', async () => {
    const clock = () => test.now
    const store = memoryStore({ clock })
    const options = { issuer: 'https://issuer.example', adminKey: 'sk_live_of_both', store, clock }
    const trustedIdentityProviders = [{ issuer: idp.issuer }]
    const [one, two] = await Promise.all(
      [0, 1].map(() => new IssuerUnderTest().start({ ...options, trustedIdentityProviders })),
    )
    const client = await one!.issuer.registerAgent({ grantTypes: [JWT_BEARER] })
    const text = await assertion({ aud: options.issuer, client_id: client.clientId })
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) => redeem(text, {}, undefined, client, n % 2 ? one : two)),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    await refused(await redeem(text, {}, undefined, client, two))
    for (const { issuer } of [one!, two!]) await issuer.close()
  })

  it('is none used up by a request that is wrong', async () => {
    const key = await Key.generate()
    const text = await assertion({ cnf: { jkt: key.jkt } })
    const other = await test.issuer.registerAgent({ grantTypes: [JWT_BEARER] })
    await refused(await redeem(text, {}, key, other))
    await refused(await redeem(text))
    expect((await redeem(text, { resource: OTHER_RESOURCE }, key)).status).toBe(400)
    expect((await redeem(text, { scope: 'files:read' }, key)).status).toBe(400)
    expect((await redeem(text, {}, key)).status).toBe(200)
  })

  it('for another client [JAG-4.4.1-client]', async () => {
    const other = await test.issuer.registerAgent({ grantTypes: [JWT_BEARER] })
    await refused(await redeem(await assertion({ client_id: other.clientId })))
    await refused(await redeem(await assertion(), {}, undefined, other))
  })

  it('in the name of a client', async () => {
    for (const sub of [agent.clientId, agent.agentId]) await refused(await redeem(await assertion({ sub })))
  })

  it.each([
    ['no resource', undefined],
    ['an empty list', []],
    ['one that no tokens are issued for', 'https://nobody.example/mcp'],
    ['one of ours, with a slash more', `${RESOURCE}/`],
    ['one of ours and another', [RESOURCE, 'https://nobody.example/mcp']],
    ['what is no URI', 'mcp'],
    ['a number', 7],
    ['an object', { uri: RESOURCE }],
  ])('for %s [EMA-7.6.2-resource]', async (_name, resource) => {
    await refused(await redeem(await assertion({ resource })))
  })

  it.each<[string, Json]>([
    ['scope that is no text', { scope: ['notes:read'] }],
    ['a malformed scope', { scope: 'a"b' }],
    ['an actor', { act: { sub: 'agent' } }],
    ['authorization_details', { authorization_details: [{ type: 'x' }] }],
  ])('with %s', async (_name, claims) => {
    await refused(await redeem(await assertion(claims)))
  })

  it.each(['x', 'a.b.c', 'x'.repeat(20_000), '....'])('that is no JWT: %.10s', async (text) => {
    await refused(await redeem(text))
  })
})

describe('a key', () => {
  it('that the assertion is bound to is proved by the request, and binds the token [JAG-8.6-cnf]', async () => {
    const key = await Key.generate()
    const cnf = { jkt: key.jkt }
    const { status, body } = await redeem(await assertion({ cnf }), {}, key)
    expect([status, body.token_type]).toEqual([200, 'DPoP'])
    expect(decodeJwt(body.access_token).cnf).toEqual(cnf)
    const other = await redeem(await assertion({ cnf }), {}, await Key.generate())
    expect(outcome(other)).toEqual([400, 'invalid_grant'])
    expect(outcome(await redeem(await assertion({ cnf })))).toEqual([400, 'invalid_grant'])
  })

  it('that it is not bound to may bind the token all the same', async () => {
    const key = await Key.generate()
    const { body } = await redeem(await assertion(), {}, key)
    expect(decodeJwt(body.access_token).cnf).toEqual({ jkt: key.jkt })
  })

  it.each([null, 'x', {}, { jkt: 1 }, { 'x5t#S256': 'x' }])(
    'bound to in a way that nobody here can check is refused: %j',
    async (cnf) => {
      const answer = await redeem(await assertion({ cnf }), {}, await Key.generate())
      expect(outcome(answer)).toEqual([400, 'invalid_grant'])
    },
  )

  it('that is not all that it is bound to is refused', async () => {
    const key = await Key.generate()
    const cnf = { jkt: key.jkt, 'x5t#S256': 'x' }
    expect(outcome(await redeem(await assertion({ cnf }), {}, key))).toEqual([400, 'invalid_grant'])
  })
})

describe('a request', () => {
  it.each<[string, Fields, string]>([
    ['invalid_request without an assertion', { assertion: undefined }, 'invalid_request'],
    ['invalid_target for another resource', { resource: OTHER_RESOURCE }, 'invalid_target'],
    ['invalid_target for one more', { resource: [RESOURCE, OTHER_RESOURCE] }, 'invalid_target'],
    ['invalid_target for the resource with a slash', { resource: `${RESOURCE}/` }, 'invalid_target'],
    ['invalid_scope for a malformed one', { scope: 'a"b' }, 'invalid_scope'],
  ])('is %s', async (_name, fields, error) => {
    expect(outcome(await redeem(await assertion(), fields))).toEqual([400, error])
  })

  it('may name the resource, or one of several', async () => {
    expect((await redeem(await assertion(), { resource: RESOURCE })).body.resource).toBe(RESOURCE)
    const both = { resource: [RESOURCE, OTHER_RESOURCE] }
    expect((await redeem(await assertion(both))).body.resource).toEqual(both.resource)
    const { body } = await redeem(await assertion(both), { resource: OTHER_RESOURCE })
    expect(decodeJwt(body.access_token).aud).toBe(OTHER_RESOURCE)
  })

  it('gets any resource of an issuer that lists none, if it is one', async () => {
    const own = await new IssuerUnderTest().start({
      clock: () => test.now,
      trustedIdentityProviders: [{ issuer: idp.issuer }],
    })
    const client = await own.issuer.registerAgent({ grantTypes: [JWT_BEARER] })
    const ask = async (resource: unknown) => {
      const text = await assertion({ aud: own.url, client_id: client.clientId, resource })
      return (await redeem(text, {}, undefined, client, own)).status
    }
    expect(await ask('https://any.example/mcp')).toBe(200)
    for (const wrong of ['mcp', 'urn:x', `${RESOURCE}#x`, undefined]) expect(await ask(wrong)).toBe(400)
    await own.issuer.close()
  })

  it('gets the default resource where the assertion names none', async () => {
    const own = await new IssuerUnderTest().start({
      clock: () => test.now,
      trustedIdentityProviders: [{ issuer: idp.issuer }],
      defaultResource: RESOURCE,
    })
    const client = await own.issuer.registerAgent({ grantTypes: [JWT_BEARER] })
    const claims = { aud: own.url, client_id: client.clientId, resource: undefined }
    const ask = async (fields: Fields = {}) => redeem(await assertion(claims), fields, undefined, client, own)
    expect((await ask()).body.resource).toBe(RESOURCE)
    expect((await ask({ resource: OTHER_RESOURCE })).body.error).toBe('invalid_target')
    await own.issuer.close()
  })

  it.each<[string, string | undefined, string | undefined, string | undefined]>([
    [
      'all that is asserted, asked for nothing',
      undefined,
      'notes:read notes:write',
      'notes:read notes:write',
    ],
    ['what it asks for, of that', 'notes:read', 'notes:read notes:write', 'notes:read'],
    ['what is asserted of what it asks for', 'notes:read notes:write', 'notes:read', 'notes:read'],
    ['what the client is registered for', undefined, 'notes:read files:read', 'notes:read'],
    ['nothing where nothing is asserted', undefined, undefined, undefined],
  ])('gets %s [EMA-7.2.1-scope]', async (_name, scope, asserted, granted) => {
    const client = await test.issuer.registerAgent({
      grantTypes: [JWT_BEARER],
      scopes: ['notes:read', 'notes:write'],
    })
    const text = await assertion({ client_id: client.clientId, scope: asserted })
    const { status, body } = await redeem(text, { scope }, undefined, client)
    expect([status, body.scope]).toEqual([200, granted])
    expect(decodeJwt(body.access_token).scope).toBe(granted)
  })

  it('is invalid_scope for what is not asserted, or not the client’s', async () => {
    const client = await test.issuer.registerAgent({ grantTypes: [JWT_BEARER], scopes: ['notes:read'] })
    for (const [scope, asserted] of [
      ['notes:write', 'notes:read'],
      ['notes:read', undefined],
      ['*', 'notes:read'],
      ['files:read', 'files:read'],
      [undefined, 'files:read'],
    ]) {
      const text = await assertion({ client_id: client.clientId, scope: asserted })
      expect(outcome(await redeem(text, { scope }, undefined, client))).toEqual([400, 'invalid_scope'])
    }
  })

  it('of a client that registered itself is held to the policy', async () => {
    const { body } = await test.request('/oauth/register', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ client_name: 'a', grant_types: [JWT_BEARER], scope: 'notes:read' }),
    })
    const client = { clientId: body.client_id, clientSecret: body.client_secret, agentId: '' }
    const text = await assertion({ client_id: body.client_id, scope: 'notes:read files:read' })
    expect((await redeem(text, {}, undefined, client)).body.scope).toBe('notes:read')
  })

  it('comes from a confidential client that is registered for it [JAG-8.1-confidential]', async () => {
    const text = await assertion()
    const wrong = { ...agent, clientSecret: 'x'.repeat(64) }
    expect(outcome(await redeem(text, {}, undefined, wrong))).toEqual([401, 'invalid_client'])
    const nobody = { ...agent, clientSecret: undefined as never }
    expect(outcome(await redeem(text, {}, undefined, nobody))).toEqual([401, 'invalid_client'])
    for (const grants of [{ grantTypes: [JWT_BEARER], authMethod: 'none' }, {}]) {
      const client = await test.issuer.registerAgent(grants)
      const its = await assertion({ client_id: client.clientId })
      const secret = client.clientSecret === '' ? (undefined as never) : client.clientSecret
      const answer = await redeem(its, {}, undefined, { ...client, clientSecret: secret })
      expect(outcome(answer)).toEqual([400, 'unauthorized_client'])
    }
  })

  it('of a client that a document describes is held to the policy, once its user has come by', async () => {
    const documents = await startDocuments()
    const key = await Key.generate()
    const own = await new IssuerUnderTest().start({
      clock: () => test.now,
      trustedIdentityProviders: [{ issuer: idp.issuer }],
      clientMetadataDocuments: 'loopback',
      registration: { scopes: ['notes:read'] },
    })
    const clientId = `${documents.origin}/client.json`
    const grant_types = ['authorization_code', JWT_BEARER]
    const keys = { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [key.jwk] } }
    documents.answer = json(documentOf(clientId, { grant_types, ...keys }))
    const ask = async () =>
      own.post('/oauth/token', {
        grant_type: JWT_BEARER,
        assertion: await assertion({ aud: own.url, client_id: clientId }),
        ...(await authentication(key, clientId, own.url)),
      })
    expect(outcome(await ask())).toEqual([401, 'invalid_client'])
    await own.code(clientId)
    expect((await ask()).body.scope).toBe('notes:read')
    await own.issuer.close()
    await documents.close()
  })

  it('may come with private_key_jwt', async () => {
    const key = await Key.generate()
    const { clientId } = await test.issuer.registerAgent({
      grantTypes: [JWT_BEARER],
      authMethod: 'private_key_jwt',
      jwks: { keys: [key.jwk] },
    })
    const { status } = await test.post('/oauth/token', {
      grant_type: JWT_BEARER,
      assertion: await assertion({ client_id: clientId }),
      ...(await authentication(key, clientId, test.url)),
    })
    expect(status).toBe(200)
  })
})

describe('revocation', () => {
  const grantOf = async (claims: Json = {}, key?: Key) => {
    const { body } = await redeem(await assertion(claims), {}, key)
    return body.access_token as string
  }

  it.each<[string, (token: string, jkt: string) => Promise<unknown>]>([
    ['token', (token) => test.issuer.revokeToken(token)],
    ['client', () => test.issuer.revokeAgent(agent.clientId)],
    ['subject', () => test.issuer.revokeUser('U-revoked')],
    ['pattern', () => test.issuer.revokePattern(`${agent.clientId.slice(0, -2)}*`)],
    ['key', async () => test.issuer.rotateDpopKey(agent.agentId, (await Key.generate()).jwk)],
  ])('by %s ends what came of an assertion', async (_name, revoke) => {
    const key = await Key.generate()
    const token = await grantOf({ sub: 'U-revoked' }, key)
    expect(await test.isActive(token)).toBe(true)
    await revoke(token, key.jkt)
    expect(await test.isActive(token)).toBe(false)
  })

  it.each<[string, () => Promise<void>]>([
    ['client', () => test.issuer.revokeAgent(agent.clientId)],
    ['subject', () => test.issuer.revokeUser('U-late')],
  ])(
    'by %s ends assertions that were made before and not used yet; later ones are good',
    async (_name, revoke) => {
      const before = await assertion({ sub: 'U-late' })
      test.now += 10
      await revoke()
      test.now += 10
      expect(outcome(await redeem(before))).toEqual([400, 'invalid_grant'])
      const after = await grantOf({ sub: 'U-late' })
      expect(await test.isActive(after)).toBe(true)
    },
  )
})

describe('the provider’s keys', () => {
  let own: IssuerUnderTest
  let provider: IdentityProvider
  let client: Agent
  const events: Json[] = []
  beforeEach(async () => {
    events.length = 0
    provider = await IdentityProvider.start(() => own.now)
    own = await new IssuerUnderTest().start({
      trustedIdentityProviders: [{ issuer: provider.issuer }],
      log: (event) => void events.push(event),
    })
    client = await own.issuer.registerAgent({ grantTypes: [JWT_BEARER] })
  })
  afterEach(async () => {
    await own.issuer.close()
    await provider.close()
  })

  const ask = async () => {
    const claims = { aud: own.url, client_id: client.clientId, resource: RESOURCE }
    const { status, body } = await redeem(await provider.assertion(claims), {}, undefined, client, own)
    return status === 200 ? 200 : `${status} ${body.error}`
  }

  it('are found by its metadata, and read once for many', async () => {
    expect(await Promise.all([ask(), ask(), ask()])).toEqual([200, 200, 200])
    expect(provider.seen).toEqual(['/.well-known/openid-configuration', '/jwks'])
    provider.answers.delete('/.well-known/openid-configuration')
    own.now += 600
    expect(await ask()).toBe(200)
    expect(provider.seen.slice(2)).toEqual([
      '/.well-known/openid-configuration',
      '/.well-known/oauth-authorization-server',
      '/jwks',
    ])
  })

  it('are kept as their headers say, thirty seconds to ten minutes [EMA-7.4.1-keys]', async () => {
    for (const [cacheControl, kept] of [
      ['no-store', 30],
      ['max-age=120', 120],
      ['max-age=86400', 600],
    ] as const) {
      provider.headers = { 'cache-control': cacheControl }
      own.now += 86_400
      await ask()
      const { reads } = provider
      own.now += kept - 1
      await ask()
      expect([cacheControl, provider.reads]).toEqual([cacheControl, reads])
      own.now += 1
      await ask()
      expect([cacheControl, provider.reads]).toEqual([cacheControl, reads + 1])
    }
  })

  it('that are new are known after thirty seconds, and nobody makes us ask more often', async () => {
    await ask()
    await provider.rotate()
    expect(await ask()).toBe('400 invalid_grant')
    expect(provider.reads).toBe(1)
    own.now += 30
    expect(await ask()).toBe(200)
    expect(provider.reads).toBe(2)
  })

  it('that were withdrawn are dead when the set is read again', async () => {
    await ask()
    const old = provider.publicKey
    provider.publish([])
    own.now += 600
    expect(await ask()).toBe('400 invalid_grant')
    provider.publish([old])
  })

  const elsewhere = (path: string, body: unknown) => () => provider.answers.set(`/.well-known/${path}`, body)

  it.each<[string, () => unknown]>([
    ['an error', () => Object.assign(provider, { status: 500 })],
    [
      'a redirect',
      () => Object.assign(provider, { status: 302, headers: { location: `${provider.issuer}/jwks` } }),
    ],
    ['another type', () => Object.assign(provider, { headers: { 'content-type': 'text/html' } })],
    ['what is no key set', () => provider.answers.set('/jwks', 'x')],
    ['too much', () => provider.answers.set('/jwks', { keys: [], x: 'x'.repeat(70_000) })],
    [
      'metadata of another issuer',
      () => {
        const metadata = { issuer: `${provider.issuer}/`, jwks_uri: `${provider.issuer}/jwks` }
        for (const path of ['openid-configuration', 'oauth-authorization-server']) elsewhere(path, metadata)()
      },
    ],
    ['metadata without keys', () => elsewhere('openid-configuration', { issuer: provider.issuer })()],
  ])('cannot be had from %s: 503, nothing is used up, and the log says why', async (_name, spoil) => {
    const answers = new Map(provider.answers)
    const text = await provider.assertion({ aud: own.url, client_id: client.clientId, resource: RESOURCE })
    const send = () => redeem(text, {}, undefined, client, own)
    spoil()
    const refused = await send()
    expect(outcome(refused)).toEqual([503, 'temporarily_unavailable'])
    expect(refused.headers.get('retry-after')).toBe('1')
    expect(events).toContainEqual(
      expect.objectContaining({ message: 'identity provider', issuer: provider.issuer }),
    )
    expect(JSON.stringify(events)).not.toContain(text)
    const seen = provider.seen.length
    await send()
    expect(provider.seen).toHaveLength(seen)
    for (const [path, body] of answers) provider.answers.set(path, body)
    provider.status = 200
    provider.headers = {}
    own.now += 5
    expect((await send()).status).toBe(200)
  })

  it('are not looked for in our network, whatever its metadata says', async () => {
    let knocks = 0
    const inside = createServer((_request, response) => {
      knocks++
      response.end()
    })
    await new Promise<void>((resolve) => inside.listen(0, '0.0.0.0', resolve))
    const { port } = inside.address() as AddressInfo
    for (const url of [
      `http://169.254.169.254:${port}/jwks`,
      `http://0.0.0.0:${port}/jwks`,
      'file:///etc/passwd',
    ]) {
      provider.answers.set('/.well-known/openid-configuration', { issuer: provider.issuer, jwks_uri: url })
      own.now += 600
      expect(await ask()).toBe('503 temporarily_unavailable')
    }
    expect(knocks).toBe(0)
    await new Promise((resolve) => inside.close(resolve))
  })

  it('of a provider that is not on this machine are not on it either', async () => {
    const logged: Json[] = []
    const issuer = createIssuer({
      trustedIdentityProviders: [
        { issuer: 'https://idp.example', jwksUri: 'https://127-0-0-1.invalid/jwks' },
      ],
      log: (event) => void logged.push(event),
      clock: () => own.now,
    })
    const { clientId, clientSecret } = await issuer.registerAgent({ grantTypes: [JWT_BEARER] })
    const text = await provider.assertion({ iss: 'https://idp.example' })
    const fields = {
      client_id: clientId,
      client_secret: clientSecret,
      grant_type: JWT_BEARER,
      assertion: text,
    }
    const request = { method: 'POST', body: new URLSearchParams(fields) }
    const { status } = await issuer.fetch(new Request(`${issuer.issuer}/oauth/token`, request))
    expect(status).toBe(503)
    expect(logged).toContainEqual(expect.objectContaining({ message: 'identity provider' }))
  })
})

describe('an issuer', () => {
  const metadataOf = async (issuer: ReturnType<typeof createIssuer>) =>
    (await issuer.fetch(new Request(`${issuer.issuer}/.well-known/oauth-authorization-server`))).json()

  it('says that it takes assertions, and not whose [JAG-7.2-profile] [JAG-7.2-grant] [JAG-8.4-disclosure]', async () => {
    const { body } = await test.request('/.well-known/oauth-authorization-server')
    expect(body.grant_types_supported).toContain(JWT_BEARER)
    expect(body.authorization_grant_profiles_supported).toEqual([
      'urn:ietf:params:oauth:grant-profile:id-jag',
    ])
    expect(JSON.stringify(body)).not.toContain(idp.issuer)
  })

  it('that trusts nobody has no such grant', async () => {
    const strict = await new IssuerUnderTest().start({ clock: () => test.now })
    const metadata = await metadataOf(strict.issuer)
    expect(metadata).not.toHaveProperty('authorization_grant_profiles_supported')
    expect((metadata as Json).grant_types_supported).not.toContain(JWT_BEARER)
    await expect(strict.issuer.registerAgent({ grantTypes: [JWT_BEARER] })).rejects.toThrow('grant_types')
    const client = await strict.issuer.registerAgent()
    const text = await assertion({ aud: strict.url, client_id: client.clientId })
    const answer = await redeem(text, {}, undefined, client, strict)
    expect(outcome(answer)).toEqual([400, 'unsupported_grant_type'])
    await strict.issuer.close()
  })

  const fine = { issuer: 'https://idp.example' }
  it.each<[string, unknown]>([
    ['no list', fine],
    ['no object', ['https://idp.example']],
    ['no issuer', [{}]],
    ['an issuer that is no URL', [{ issuer: 'idp' }]],
    ['http', [{ issuer: 'http://idp.example' }]],
    ['a query', [{ issuer: 'https://idp.example/?x' }]],
    ['a fragment', [{ issuer: 'https://idp.example/#x' }]],
    ['a user', [{ issuer: 'https://a:b@idp.example' }]],
    ['keys by http', [{ ...fine, jwksUri: 'http://idp.example/jwks' }]],
    ['keys in a file', [{ ...fine, jwksUri: 'file:///jwks' }]],
    ['no algorithm', [{ ...fine, algorithms: [] }]],
    ['a symmetric algorithm', [{ ...fine, algorithms: ['HS256'] }]],
    ['none', [{ ...fine, algorithms: ['none'] }]],
    ['a prefix that is no text', [{ ...fine, subjectPrefix: 7 }]],
    ['an unknown option', [{ ...fine, audience: 'x' }]],
    ['one provider twice', [fine, { ...fine, subjectPrefix: 'b' }]],
    ['two whose users cannot be told apart', [fine, { issuer: 'https://two.example' }]],
    [
      'a prefix that another begins with',
      [
        { ...fine, subjectPrefix: 'a' },
        { issuer: 'https://two.example', subjectPrefix: 'ab' },
      ],
    ],
  ])('does not start with %s', (_name, trustedIdentityProviders) => {
    const start = () => createIssuer({ trustedIdentityProviders } as IssuerOptions)
    expect(start).toThrow(TypeError)
    expect(start).toThrow(/^issuer: trustedIdentityProviders(?:\.\w+)?: /)
  })

  it('is not its own identity provider [JAG-8.3-own]', () => {
    const issuer = 'https://issuer.example'
    expect(() => createIssuer({ issuer, trustedIdentityProviders: [{ issuer }] })).toThrow(
      'its own identity provider',
    )
  })

  it('tells users of several providers apart', () => {
    const trustedIdentityProviders = [
      { ...fine, subjectPrefix: 'one|' },
      { issuer: 'https://two.example', subjectPrefix: 'two|' },
    ]
    expect(() => createIssuer({ trustedIdentityProviders })).not.toThrow()
  })
})
