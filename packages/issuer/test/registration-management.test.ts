import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningIssuer, startIssuer } from '../src/index.ts'
import { RESOURCE, type RegisteredClient, register } from './support/browser.ts'

let issuer: RunningIssuer
let now = 1_800_000_000
beforeAll(async () => {
  issuer = await startIssuer({ clock: () => now })
})
afterAll(() => issuer.close())

const confidential = () =>
  register(issuer, {
    token_endpoint_auth_method: 'client_secret_basic',
    grant_types: ['client_credentials'],
    scope: 'notes:read',
  })

async function manage(client: RegisteredClient, method: string, path = '', body?: unknown, token?: string) {
  const headers = {
    authorization: `Bearer ${token ?? client.registration_access_token}`,
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  }
  const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }
  const response = await fetch(`${client.registration_client_uri}${path}`, init)
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    body: (text === '' ? {} : JSON.parse(text)) as Record<string, string>,
  }
}

/** The status of a token request. */
async function redeem(clientId: string, secret = ''): Promise<number> {
  const body = new URLSearchParams({ grant_type: 'client_credentials', resource: RESOURCE })
  const headers = { authorization: `Basic ${btoa(`${clientId}:${secret}`)}` }
  return (await fetch(`${issuer.url}/oauth/token`, { method: 'POST', headers, body })).status
}

describe('management of a registration (RFC 7592)', () => {
  it('reads it, without secrets [7592-2.1]', async () => {
    const client = await confidential()
    const { status, headers, body } = await manage(client, 'GET')
    expect(status).toBe(200)
    expect(headers.get('cache-control')).toBe('no-store')
    const { client_secret: _, client_secret_expires_at: __, registration_access_token: ___, ...rest } = client
    expect(body).toEqual(rest)
  })

  it.each([
    ['another token', async (client: RegisteredClient) => manage(client, 'GET', '', undefined, 'x')],
    [
      "another client's",
      async (client: RegisteredClient) =>
        manage(client, 'GET', '', undefined, (await confidential()).registration_access_token),
    ],
    [
      'the client secret',
      async (client: RegisteredClient) => manage(client, 'GET', '', undefined, client.client_secret),
    ],
    [
      'the admin key',
      async (client: RegisteredClient) => manage(client, 'GET', '', undefined, issuer.adminKey),
    ],
    [
      'an unknown client',
      async (client: RegisteredClient) =>
        manage({ ...client, registration_client_uri: `${issuer.url}/oauth/register/nobody` }, 'GET'),
    ],
  ])('is refused with 401 for %s [7592-2-token]', async (_name, call) => {
    const client = await confidential()
    expect((await manage(client, 'GET')).status).toBe(200)
    const { status, headers, body } = await call(client)
    expect([status, body.error]).toEqual([401, 'invalid_token'])
    expect(headers.get('www-authenticate')).toMatch(/^Bearer /)
  })

  it('replaces all of it: what is left out is gone [7592-2.2-replace]', async () => {
    const client = await register(issuer, { scope: 'notes:read', client_uri: 'https://client.example' })
    const replacement = {
      client_id: client.client_id,
      client_name: 'Renamed',
      token_endpoint_auth_method: 'none',
    }
    const { status, body } = await manage(client, 'PUT', '', replacement)
    expect(status).toBe(200)
    expect(body).toEqual({
      ...replacement,
      client_id_issued_at: client.client_id_issued_at,
      redirect_uris: [],
      grant_types: ['authorization_code'],
      response_types: ['code'],
      registration_client_uri: client.registration_client_uri,
    })
    expect((await manage(client, 'GET')).body).toEqual(body)
  })

  it('keeps the secret through a replacement; gives one to a client that begins to need it; takes it back', async () => {
    const client = await confidential()
    const { client_id, client_secret } = client
    const same = { client_id, client_name: 'n', grant_types: ['client_credentials'] }
    expect((await manage(client, 'PUT', '', { ...same, client_secret })).body).not.toHaveProperty(
      'client_secret',
    )
    expect(await redeem(client_id, client_secret)).toBe(200)
    await manage(client, 'PUT', '', { ...same, token_endpoint_auth_method: 'none' })
    expect(await redeem(client_id, client_secret)).toBe(401)
    const { body } = await manage(client, 'PUT', '', same)
    expect(body.client_secret_expires_at).toBe(0)
    expect(await redeem(client_id, client_secret)).toBe(401)
    expect(await redeem(client_id, body.client_secret)).toBe(200)
  })

  it.each([
    ['no client_id', { client_id: undefined }, 'invalid_client_metadata'],
    ['another client_id', { client_id: 'other' }, 'invalid_client_metadata'],
    ['another secret', { client_secret: 'x' }, 'invalid_client_metadata'],
    ['a secret that is no text', { client_secret: 1 }, 'invalid_client_metadata'],
    ['the registration access token', { registration_access_token: 'x' }, 'invalid_client_metadata'],
    ['the registration URI', { registration_client_uri: 'https://x.example' }, 'invalid_client_metadata'],
    ['the end of the secret', { client_secret_expires_at: 0 }, 'invalid_client_metadata'],
    ['the time of issue', { client_id_issued_at: 0 }, 'invalid_client_metadata'],
    ['bad metadata', { client_name: 1 }, 'invalid_client_metadata'],
    ['a bad redirect URI', { redirect_uris: ['javascript:x'] }, 'invalid_redirect_uri'],
  ])('changes nothing for a replacement with %s [7592-2.2-id]', async (_name, changes, error) => {
    const client = await confidential()
    const before = (await manage(client, 'GET')).body
    const replacement = { client_id: client.client_id, client_name: 'n' }
    const refused = await manage(client, 'PUT', '', { ...replacement, ...changes })
    expect([refused.status, refused.body.error]).toEqual([400, error])
    expect((await manage(client, 'GET')).body).toEqual(before)
    expect((await manage(client, 'PUT', '', replacement)).status).toBe(200)
  })

  it('deletes it, and ends what it was granted [7592-2.3]', async () => {
    const client = await confidential()
    const { client_id, client_secret } = client
    expect(await redeem(client_id, client_secret)).toBe(200)
    const token = await issuer.mintToken({ clientId: client_id, resource: RESOURCE })
    const isActive = async () => {
      const response = await fetch(`${issuer.url}/oauth/introspect`, {
        method: 'POST',
        headers: { authorization: `Bearer ${issuer.adminKey}` },
        body: new URLSearchParams({ token }),
      })
      return ((await response.json()) as { active: boolean }).active
    }
    expect(await isActive()).toBe(true)
    const deleted = await manage(client, 'DELETE')
    expect([deleted.status, deleted.body]).toEqual([204, {}])
    expect(await redeem(client_id, client_secret)).toBe(401)
    expect(await isActive()).toBe(false)
    for (const method of ['GET', 'DELETE']) expect((await manage(client, method)).status).toBe(401)
  })

  it('rotates the secret; the old one works for another hour', async () => {
    const client = await confidential()
    const { client_id, client_secret } = client
    const { status, body } = await manage(client, 'POST', '/secret')
    expect(status).toBe(200)
    expect(body).toEqual({
      client_id,
      client_secret: expect.stringMatching(/^[0-9a-f]{64}$/),
      client_secret_expires_at: 0,
    })
    expect(await redeem(client_id, client_secret)).toBe(200)
    expect(await redeem(client_id, body.client_secret)).toBe(200)
    now += 3601
    expect(await redeem(client_id, client_secret)).toBe(401)
    expect(await redeem(client_id, body.client_secret)).toBe(200)
  })

  it('gives a public client no secret by rotation', async () => {
    const client = await register(issuer)
    expect((await manage(client, 'POST', '/secret')).status).toBe(400)
  })

  it('rotates the registration access token; the old one is dead at once', async () => {
    const client = await confidential()
    const { status, body } = await manage(client, 'DELETE', '/registration-token')
    expect(status).toBe(200)
    expect((await manage(client, 'GET')).status).toBe(401)
    expect((await manage(client, 'GET', '', undefined, body.registration_access_token)).status).toBe(200)
  })

  it('is not for agents that an administrator registered', async () => {
    const { clientId } = await issuer.registerAgent()
    const client = {
      ...(await confidential()),
      registration_client_uri: `${issuer.url}/oauth/register/${clientId}`,
    }
    expect((await manage(client, 'GET')).status).toBe(401)
  })
})
