import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningIssuer, startIssuer } from '../src/index.ts'

let issuer: RunningIssuer
beforeAll(async () => {
  issuer = await startIssuer({ registration: { perAddress: 10_000 } })
})
afterAll(() => issuer.close())

const METADATA = { client_name: 'Notes', redirect_uris: ['https://client.example/cb'] }
const RSA_KEY = { kty: 'RSA', n: `0${'A'.repeat(340)}Q`, e: 'AQAB' }
const EC_KEY = {
  kty: 'EC',
  crv: 'P-256',
  x: 'l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs',
  y: '9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA',
}

async function register(metadata: unknown = METADATA, headers = {}) {
  const response = await fetch(`${issuer.url}/oauth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof metadata === 'string' ? metadata : JSON.stringify(metadata),
  })
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  }
}

describe('registration (RFC 7591)', () => {
  it('answers with credentials and all that was registered [7591-3.2.1-201] [7591-3.2.1-secret] [7591-3.2-store]', async () => {
    const metadata = {
      ...METADATA,
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      scope: 'notes:read notes:write',
      client_uri: 'https://client.example',
      contacts: ['a@client.example'],
      application_type: 'web',
      dpop_bound_access_tokens: true,
    }
    const { status, headers, body } = await register(metadata)
    expect(status).toBe(201)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(body).toEqual({
      ...metadata,
      token_endpoint_auth_method: 'client_secret_basic',
      client_id: expect.stringMatching(/^shark_dcr_[\w-]{21}$/),
      client_secret: expect.stringMatching(/^[0-9a-f]{64}$/),
      client_secret_expires_at: 0,
      client_id_issued_at: expect.any(Number),
      registration_access_token: expect.stringMatching(/^[0-9a-f]{64}$/),
      registration_client_uri: `${issuer.url}/oauth/register/${body.client_id}`,
    })
  })

  it('gives a public client no secret', async () => {
    const { body } = await register({ ...METADATA, token_endpoint_auth_method: 'none' })
    expect(body).toMatchObject({ token_endpoint_auth_method: 'none' })
    expect(body).not.toHaveProperty('client_secret')
    expect(body).not.toHaveProperty('client_secret_expires_at')
  })

  it.each([
    ['EC', EC_KEY],
    ['RSA', RSA_KEY],
  ])('takes the %s key of private_key_jwt', async (_kty, key) => {
    const jwks = { keys: [{ ...key, kid: '1' }] }
    const { status, body } = await register({
      ...METADATA,
      token_endpoint_auth_method: 'private_key_jwt',
      jwks,
    })
    expect(status).toBe(201)
    expect(body).toMatchObject({ jwks })
    expect(body).not.toHaveProperty('client_secret')
  })

  it('ignores what it does not know, and what only an administrator may say [7591-2-unknown]', async () => {
    const { status, body } = await register({
      ...METADATA,
      created_by: 'usr_1',
      'client_name#ja': 'x',
      made_up: {},
    })
    expect(status).toBe(201)
    expect(body).not.toHaveProperty('made_up')
    const response = await fetch(`${issuer.url}/api/v1/agents/${body.client_id}`, {
      headers: { authorization: `Bearer ${issuer.adminKey}` },
    })
    expect(await response.json()).toMatchObject({ created_by: null })
  })

  it.each([
    'https://client.example/cb?x=1',
    'https://client.example',
    'https://client.example:8443/cb',
    'http://127.0.0.1/cb',
    'http://localhost:3000/cb',
    'http://[::1]:3000/cb',
  ])('takes the redirect URI %s', async (uri) => {
    expect((await register({ ...METADATA, redirect_uris: [uri] })).status).toBe(201)
  })

  it.each([
    'http://client.example/cb',
    'https://client.example/cb#x',
    'https://user@client.example/cb',
    'https:client.example/cb',
    'https:\\\\client.example\\cb',
    'https://client.example/c b',
    'https://client.example\t/cb',
    'https:///cb',
    'HTTPS://client.example/cb',
    '//client.example/cb',
    'javascript:alert(1)',
    'data:text/html,x',
    'myapp://callback',
    'http://127.0.0.1.evil.example/cb',
    'http://localhost.evil.example/cb',
    'http://127.0.0.1@evil.example/cb',
    'http://2130706433/cb',
    'https://client.example/\u20ac',
    'https://client.example/\u0001',
    'https://client.example/\u0000',
    '',
  ])('invalid_redirect_uri for %j [7591-5-redirect] [MCP-A16]', async (uri) => {
    const { status, body } = await register({
      ...METADATA,
      redirect_uris: ['https://client.example/cb', uri],
    })
    expect([status, body.error]).toEqual([400, 'invalid_redirect_uri'])
  })

  it('invalid_redirect_uri for a web application on this computer', async () => {
    const redirect_uris = ['http://127.0.0.1/cb']
    expect((await register({ ...METADATA, redirect_uris, application_type: 'native' })).status).toBe(201)
    const { status, body } = await register({ ...METADATA, redirect_uris, application_type: 'web' })
    expect([status, body.error]).toEqual([400, 'invalid_redirect_uri'])
  })

  it.each([
    ['no name', { client_name: undefined }],
    ['a name that is none', { client_name: ' ' }],
    ['an endless name', { client_name: 'x'.repeat(201) }],
    ['redirect_uris that are no list', { redirect_uris: 'https://client.example/cb' }],
    ['a redirect URI that is no text', { redirect_uris: [1] }],
    ['an unknown auth method', { token_endpoint_auth_method: 'tls_client_auth' }],
    ['an unknown grant type', { grant_types: ['password'] }],
    ['an unknown response type', { response_types: ['token'] }],
    ['an unknown application type', { application_type: 'desktop' }],
    ['a malformed scope', { scope: 'a"b' }],
    ['a scope that is no text', { scope: 7 }],
    ['a client_uri that is a script', { client_uri: 'javascript:alert(1)' }],
    ['contacts that are no list', { contacts: 'me' }],
    ['dpop_bound_access_tokens that is no boolean', { dpop_bound_access_tokens: 'yes' }],
    ['private_key_jwt without keys', { token_endpoint_auth_method: 'private_key_jwt' }],
    [
      'keys to be fetched',
      { token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'https://client.example/jwks' },
    ],
    ['an empty key set', { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [] } }],
    [
      'a private key',
      { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [{ ...EC_KEY, d: 'x' }] } },
    ],
    [
      'a symmetric key',
      { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [{ kty: 'oct', k: 'x' }] } },
    ],
    ['a key that is none', { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [null] } }],
  ])('invalid_client_metadata for %s [7591-3.2.2]', async (_name, changes) => {
    const { status, body } = await register({ ...METADATA, ...changes })
    expect([status, body.error]).toEqual([400, 'invalid_client_metadata'])
    expect(body.error_description).toEqual(expect.any(String))
  })

  it.each([
    ['no JSON', '{'],
    ['a list', '[]'],
    ['null', 'null'],
  ])('refuses a body that is %s', async (_name, text) => {
    expect((await register(text)).status).toBe(400)
  })

  it('refuses another content type, and a body that is too large', async () => {
    expect((await register(METADATA, { 'content-type': 'text/plain' })).status).toBe(400)
    expect((await register({ ...METADATA, x: 'x'.repeat(9000) })).status).toBe(413)
  })
})
