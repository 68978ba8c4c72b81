import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type RunningIssuer, type StartOptions, startIssuer } from '../src/index.ts'
import { authorizeUrl, Browser, RESOURCE } from './support/browser.ts'
import { type DocumentServer, documentOf, json, startDocuments } from './support/documents.ts'
import { Key } from './support/issuer-under-test.ts'

let issuer: RunningIssuer
let documents: DocumentServer
let clientId: string
let now: number

async function start(options: StartOptions = {}) {
  await issuer?.close()
  issuer = await startIssuer({
    autoApprove: true,
    clientMetadataDocuments: 'loopback',
    clock: () => now,
    ...options,
  })
}

beforeEach(async () => {
  now = 1_800_000_000
  documents = await startDocuments()
  clientId = `${documents.origin}/client.json`
  documents.answer = json(documentOf(clientId))
  await start()
})
afterEach(async () => {
  await issuer.close()
  await documents.close()
})

const open = (changes = {}, id = clientId) => new Browser().open(authorizeUrl(issuer, id, changes))
const isRefused = async (id = clientId) => {
  const { status, location } = await open({}, id)
  expect([status, location]).toEqual([400, undefined])
}

describe('a client whose id is the URL of its metadata document', () => {
  it('gets a code at the redirect URI of the document, and the metadata says that it may [MCP-A6]', async () => {
    expect((await open()).parameters.code).toBeDefined()
    const { headers } = documents.seen[0]!
    expect(headers).toMatchObject({ accept: 'application/json', host: new URL(clientId).host })
    expect(headers).not.toHaveProperty('cookie')
    expect(headers).not.toHaveProperty('authorization')
    const metadata = await fetch(`${issuer.url}/.well-known/oauth-authorization-server`)
    expect(await metadata.json()).toMatchObject({ client_id_metadata_document_supported: true })
  })

  it('is shown with the host of its document, and as checked by nobody [MCP-A10]', async () => {
    await start({ autoApprove: false, users: [{ username: 'alice', password: 'correct horse' }] })
    const { text } = await new Browser().logIn(authorizeUrl(issuer, clientId))
    for (const shown of ['Document client', new URL(clientId).host, 'client.example', 'Nobody has checked']) {
      expect(text).toContain(shown)
    }
  })

  it('gets no code at another redirect URI [MCP-A8]', async () => {
    expect((await open({ redirect_uri: 'https://evil.example/callback' })).status).toBe(400)
  })

  it('is unknown where there are none, and the metadata says so', async () => {
    await start({ clientMetadataDocuments: 'off' })
    await isRefused()
    expect(documents.seen).toHaveLength(0)
    const metadata = await fetch(`${issuer.url}/.well-known/oauth-authorization-server`)
    expect(await metadata.json()).toMatchObject({ client_id_metadata_document_supported: false })
  })

  it('is kept only when something is granted to it, and can be deactivated for good', async () => {
    const agent = async () => {
      const response = await fetch(`${issuer.url}/api/v1/agents/${encodeURIComponent(clientId)}`, {
        headers: { authorization: `Bearer ${issuer.adminKey}` },
      })
      return (await response.json()) as Record<string, unknown>
    }
    await open({ scope: 'a"b' })
    expect(await agent()).toMatchObject({ error: 'not_found' })
    await open()
    const { id } = await agent()
    expect(id).toMatch(/^agent_/)
    await fetch(`${issuer.url}/api/v1/agents/${id}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${issuer.adminKey}` },
    })
    await isRefused()
    now += 86_400
    await isRefused()
  })

  it('has the redirect URIs that its document has now', async () => {
    await open()
    documents.answer = json(documentOf(clientId, { redirect_uris: ['https://moved.example/callback'] }))
    now += 86_400
    expect((await open()).status).toBe(400)
    expect((await open({ redirect_uri: 'https://moved.example/callback' })).parameters.code).toBeDefined()
  })
})

describe('a client with a document that acts for itself', () => {
  /** What it gets once a user has let it act for them. */
  async function ask(scope: string, registration: NonNullable<StartOptions['registration']>) {
    await start({ registration })
    const key = await Key.generate()
    documents.answer = json(
      documentOf(clientId, {
        token_endpoint_auth_method: 'private_key_jwt',
        jwks: { keys: [key.jwk] },
        grant_types: ['authorization_code', 'client_credentials'],
        scope: 'notes:read admin',
      }),
    )
    expect((await open()).parameters.code).toBeDefined()
    const claims = { iss: clientId, sub: clientId, aud: issuer.url, jti: 'once', exp: now + 60 }
    const response = await fetch(`${issuer.url}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_assertion: await key.sign(claims),
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        resource: RESOURCE,
        scope,
      }),
    })
    return ((await response.json()) as { error?: string }).error
  }

  it('gets no scope beyond the policy, whatever its document says', async () => {
    expect(await ask('admin', 'open')).toBeUndefined()
    expect(await ask('notes:read', { scopes: ['notes:read'] })).toBeUndefined()
    expect(await ask('admin', { scopes: ['notes:read'] })).toBe('invalid_scope')
  })

  it('gets nothing where nobody may register', async () => {
    expect(await ask('notes:read', 'closed')).toBe('unauthorized_client')
  })
})

describe('a document is refused', () => {
  it.each([
    ['that names another client', { client_id: 'https://client.example/other' }],
    ['that names the client almost', { client_id: undefined }],
    ['with a secret', { client_secret: 'x' }],
    ['with the end of a secret', { client_secret_expires_at: 0 }],
    ['of a client with a secret', { token_endpoint_auth_method: 'client_secret_basic' }],
    ['without redirect URIs', { redirect_uris: undefined }],
    ['with an empty list of them', { redirect_uris: [] }],
    ['with a redirect URI that is none', { redirect_uris: ['javascript:x'] }],
    ['without a name', { client_name: undefined }],
    [
      'with keys to be fetched',
      { token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'http://127.0.0.1/' },
    ],
  ])('%s', async (_name, changes) => {
    expect((await open({}, `${clientId}?fine`)).status).toBe(400)
    documents.answer = json(documentOf(clientId, changes))
    await isRefused()
    documents.answer = json(documentOf(clientId))
    expect((await open()).status).toBe(303)
  })

  it.each<[string, DocumentServer['answer']]>([
    ['that is not there', (_request, response) => response.writeHead(404).end()],
    ['behind a redirect', (_request, response) => response.writeHead(302, { location: '/other' }).end()],
    ['that is no JSON', json('{')],
    ['that is a list', json('[]')],
    ['of another type', json({}, { 'content-type': 'text/html' })],
    ['that is compressed', json({}, { 'content-encoding': 'gzip' })],
    ['that is cut off', (request) => request.socket.destroy()],
    ['that never comes', () => undefined],
    [
      'that never ends',
      (_request, response) =>
        response.writeHead(200, { 'content-type': 'application/json' }) && void endless(response),
    ],
  ])('%s', async (_name, answer) => {
    expect((await open()).status).toBe(303)
    now += 86_400
    documents.answer = answer
    await isRefused()
  })

  it('that is too large, without reading it all', async () => {
    documents.answer = json({ ...documentOf(clientId), x: 'x'.repeat(20_000) })
    await isRefused()
  })
})

function endless(response: { write(text: string): boolean; destroyed: boolean }): void {
  if (!response.destroyed) setTimeout(() => response.write(' '.repeat(1000)) && endless(response), 1)
}

describe('a document is kept', () => {
  const fetches = async (headers: Record<string, string>, wait: number) => {
    documents.answer = json(documentOf(clientId), headers)
    await open()
    now += wait
    await open()
    return documents.seen.length
  }

  it.each([
    ['for five minutes where nothing is said', {}, 299, 1],
    ['and no longer', {}, 301, 2],
    ['for as long as it says', { 'cache-control': 'public, max-age=3600' }, 3599, 1],
    ['and no longer then', { 'cache-control': 'public, max-age=60' }, 61, 2],
    ['by its s-maxage first', { 'cache-control': 'max-age=10, s-maxage=60' }, 30, 1],
    ['less its age', { 'cache-control': 'max-age=60', age: '50' }, 20, 2],
    ['until it expires', { expires: new Date(1_800_000_060_000).toUTCString() }, 59, 1],
    ['until it expires, and no longer', { expires: new Date(1_800_000_060_000).toUTCString() }, 61, 2],
    ['for a day at most', { 'cache-control': 'max-age=31536000' }, 86_401, 2],
    ['not at all with no-store', { 'cache-control': 'no-store' }, 0, 2],
    ['not at all when nonsense is said', { 'cache-control': 'max-age=soon' }, 1, 2],
  ])('%s', async (_name, headers, wait, count) => {
    expect(await fetches(headers, wait)).toBe(count)
  })

  it('and fetched once for all who ask at the same time [MCP-A7]', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => open()))
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(303))
    expect(documents.seen).toHaveLength(1)
  })

  it('when it could be read; else fetched again', async () => {
    documents.answer = json('{')
    await isRefused()
    documents.answer = json(documentOf(clientId))
    expect((await open()).status).toBe(303)
  })
})

describe('nobody makes us knock at a door all day', () => {
  it('thirty documents of one host a minute', async () => {
    documents.answer = ({ url }, response) =>
      json(documentOf(`${documents.origin}${url}`))({} as never, response)
    const statuses = []
    for (let i = 0; i < 32; i++) statuses.push((await open({}, `${clientId}?${i}`)).status)
    expect(statuses).toEqual([...Array(30).fill(303), 429, 429])
    expect(documents.seen).toHaveLength(30)
    now += 61
    expect((await open({}, `${clientId}?31`)).status).toBe(303)
  })
})
