import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RESOURCE } from './support/browser.ts'
import { type Agent, IssuerUnderTest, Key, OTHER_RESOURCE } from './support/issuer-under-test.ts'

const test = new IssuerUnderTest()
let owner: Agent
let key: Key
let token: string

beforeAll(async () => {
  await test.start()
  owner = await test.issuer.registerAgent()
  key = await Key.generate()
  token = await test.accessToken(owner, { scope: 'read' }, key)
})
afterAll(() => test.issuer.close())

const ask = (by: Agent, about = token) =>
  test.post('/oauth/introspect', { token: about, client_id: by.clientId, client_secret: by.clientSecret })

describe('introspection (RFC 7662)', () => {
  it('tells the admin everything about an access token [9449-6.2-introspection]', async () => {
    const { body, headers } = await test.introspect(token)
    expect(body).toEqual({
      active: true,
      iss: test.url,
      sub: owner.clientId,
      aud: RESOURCE,
      client_id: owner.clientId,
      scope: 'read',
      exp: test.now + 300,
      iat: test.now,
      jti: expect.any(String),
      token_type: 'DPoP',
      cnf: { jkt: key.jkt },
    })
    expect(headers.get('cache-control')).toBe('no-store')
  })

  it('tells the client it was issued to, and the resource servers that it is for', async () => {
    const dcr = async (metadata = {}) => {
      const grant_types = ['client_credentials']
      const token_endpoint_auth_method = 'client_secret_basic'
      const body = JSON.stringify({ client_name: 'rs', grant_types, token_endpoint_auth_method, ...metadata })
      const headers = { 'content-type': 'application/json' }
      const { body: client } = await test.request('/oauth/register', { method: 'POST', headers, body })
      return { clientId: client.client_id, clientSecret: client.client_secret, agentId: '' }
    }
    const { registerAgent } = test.issuer
    const callers: [string, Agent, boolean][] = [
      ['its client', owner, true],
      ['an agent of the admin’s', await registerAgent(), true],
      [
        'an agent that serves the resource',
        await registerAgent({ resources: [OTHER_RESOURCE, RESOURCE] }),
        true,
      ],
      ['an agent that serves another', await registerAgent({ resources: [OTHER_RESOURCE] }), false],
      ['a client that registered as serving it', await dcr({ resources: [RESOURCE] }), true],
      [
        'a client that registered as serving a part of it',
        await dcr({ resources: ['https://mcp.example'] }),
        false,
      ],
      ['a client that just registered', await dcr(), false],
    ]
    for (const [who, caller, may] of callers) {
      const { status, body } = await ask(caller)
      expect([who, status, body.active]).toEqual([who, 200, may])
      if (!may) expect(body).toEqual({ active: false })
    }
  })

  it('is not for public clients, nor for who does not authenticate [7662-2.1-auth]', async () => {
    const anybody = { clientId: '', clientSecret: '', agentId: '' }
    for (const caller of [await test.publicClient(), anybody, { ...owner, clientSecret: 'x' }]) {
      expect((await ask(caller)).status).toBe(401)
    }
    const wrongKey = { authorization: 'Bearer sk_live_wrong' }
    expect((await test.post('/oauth/introspect', { token }, wrongKey)).status).toBe(401)
  })

  it('needs a token', async () => {
    const headers = { authorization: `Bearer ${test.issuer.adminKey}` }
    expect((await test.post('/oauth/introspect', {}, headers)).body.error).toBe('invalid_request')
  })

  it('calls nothing active that is forged, of another type, or expired [7662-2.2-checks] [7662-2.2-inactive]', async () => {
    const mint = { clientId: owner.clientId, resource: RESOURCE }
    const [head, payload] = token.split('.')
    const forged = [
      'x',
      '',
      `${head}.${payload}.${'A'.repeat(86)}`,
      await test.issuer.mintToken({ ...mint, expiresIn: -1 }),
      await test.issuer.mintToken({ ...mint, header: { typ: 'dpop+jwt' } }),
      await test.issuer.mintToken({ ...mint, claims: { iss: 'https://other.example' } }),
      await test.issuer.mintToken({ ...mint, claims: { jti: 'another' } }),
    ].filter((text) => text !== '')
    for (const text of forged) expect((await test.introspect(text)).body).toEqual({ active: false })
  })

  it('tells its client, and nobody else, about a refresh token, while that can be used', async () => {
    const redirectUris = ['https://client.example/callback']
    const grantTypes = ['authorization_code', 'refresh_token']
    const client = await test.issuer.registerAgent({ grantTypes, redirectUris })
    const { refresh_token } = await test.login(client)
    expect((await ask(client, refresh_token)).body).toMatchObject({
      active: true,
      client_id: client.clientId,
      sub: 'usr_test',
      scope: 'notes:read',
    })
    expect((await ask(owner, refresh_token)).body).toEqual({ active: false })
    await test.refresh(client, refresh_token)
    expect((await ask(client, refresh_token)).body).toEqual({ active: false })
  })
})

describe('revocation (RFC 7009)', () => {
  const revoke = (by: Agent, text: string, more = {}) => {
    const credentials = { client_id: by.clientId, client_secret: by.clientSecret || undefined }
    return test.post('/oauth/revoke', { token: text, ...credentials, ...more })
  }

  it('ends an access token of the client’s own, whatever the hint says, and leaves an event [7009-2.1-hint]', async () => {
    const one = await test.accessToken(owner)
    const two = await test.accessToken(owner)
    expect((await revoke(owner, one, { token_type_hint: 'refresh_token' })).status).toBe(200)
    expect([await test.isActive(one), await test.isActive(two)]).toEqual([false, true])
    const { data } = (await test.admin('GET', '/audit-logs?action=oauth.token_revoked')).body
    expect(data[0].details.client_id).toBe(owner.clientId)
  })

  it('ends with a refresh token the whole grant; a public client may do that [7009-2.1-refresh] [7009-2.1-grant]', async () => {
    const client = await test.publicClient()
    const { access_token, refresh_token } = await test.login(client)
    expect((await revoke(client, refresh_token)).status).toBe(200)
    expect(await test.isActive(access_token)).toBe(false)
    expect((await test.refresh(client, refresh_token)).body.error).toBe('invalid_grant')
  })

  it('says nothing of, and does nothing to, what is unknown or somebody else’s [7009-2.1-client] [7009-2.2-unknown]', async () => {
    const other = await test.issuer.registerAgent()
    const client = await test.publicClient()
    const { refresh_token } = await test.login(client)
    for (const text of ['unknown', token, refresh_token]) {
      const { status, body } = await revoke(other, text)
      expect([status, body.text]).toEqual([200, ''])
    }
    expect(await test.isActive(token)).toBe(true)
    expect((await test.refresh(client, refresh_token)).status).toBe(200)
  })

  it('is twice the same as once', async () => {
    const one = await test.accessToken(owner)
    for (let time = 0; time < 2; time++) expect((await revoke(owner, one)).status).toBe(200)
    expect(await test.isActive(one)).toBe(false)
  })

  it('is for the admin, of any token', async () => {
    const one = await test.accessToken(owner)
    await test.post('/oauth/revoke', { token: one }, { authorization: `Bearer ${test.issuer.adminKey}` })
    expect(await test.isActive(one)).toBe(false)
  })

  it('needs a client, and a token', async () => {
    expect((await test.post('/oauth/revoke', { token })).status).toBe(401)
    expect((await revoke({ ...owner, clientSecret: 'x' }, token)).status).toBe(401)
    expect((await revoke(owner, '')).body.error).toBe('invalid_request')
    expect(await test.isActive(token)).toBe(true)
  })
})
