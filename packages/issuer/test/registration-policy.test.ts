import { afterEach, describe, expect, it } from 'vitest'
import {
  createIssuer,
  memoryStore,
  type RunningIssuer,
  type StartOptions,
  startIssuer,
} from '../src/index.ts'
import { RESOURCE } from './support/browser.ts'

let issuer: RunningIssuer
afterEach(() => issuer?.close())

const METADATA = { client_name: 'Notes', grant_types: ['client_credentials'] }

function post(metadata: object = METADATA, authorization?: string) {
  return new Request('http://issuer.example/oauth/register', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(authorization ? { authorization } : {}) },
    body: JSON.stringify(metadata),
  })
}

async function answer(response: Promise<Response> | Response) {
  const { status, headers } = await response
  return { status, headers, body: (await (await response).json()) as Record<string, string> }
}

describe('the policy of registration', () => {
  it('may be that there is none', async () => {
    const { status, body } = await answer(createIssuer({ registration: 'closed' }).fetch(post()))
    expect([status, body.error]).toEqual([403, 'access_denied'])
  })

  it('may be an initial access token', async () => {
    const { fetch } = createIssuer({ registration: { initialAccessToken: 'let-me-in-please' } })
    expect((await fetch(post(METADATA, 'Bearer let-me-in-please'))).status).toBe(201)
    for (const wrong of [undefined, 'Bearer let-me-in-pleasf', 'Basic let-me-in-please', 'Bearer']) {
      const { status, headers } = await fetch(post(METADATA, wrong))
      expect([status, headers.get('www-authenticate')]).toEqual([401, 'Bearer error="invalid_token"'])
    }
  })

  it('limits scopes, of a replacement too; who asks for none gets those there are', async () => {
    const { fetch } = createIssuer({ registration: { scopes: ['notes.*', 'read'] } })
    expect((await answer(fetch(post({ ...METADATA, scope: 'notes.write read' })))).body.scope).toBe(
      'notes.write read',
    )
    const refused = await answer(fetch(post({ ...METADATA, scope: 'read admin' })))
    expect([refused.status, refused.body.error]).toEqual([400, 'invalid_client_metadata'])
    const { body } = await answer(fetch(post()))
    expect(body.scope).toBe('notes.* read')
    const put = new Request(`http://issuer.example/oauth/register/${body.client_id}`, {
      method: 'PUT',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${body.registration_access_token}`,
      },
      body: JSON.stringify({ ...METADATA, client_id: body.client_id, scope: 'admin' }),
    })
    expect((await fetch(put)).status).toBe(400)
  })

  it('limits what a client gets for itself, also where it allows no scope at all', async () => {
    const ask = async (scopes: string[], scope: string) => {
      const { fetch } = createIssuer({ registration: { scopes } })
      const { client_id, client_secret } = (await answer(fetch(post()))).body
      const fields = { grant_type: 'client_credentials', resource: RESOURCE, scope }
      return fetch(
        new Request('http://issuer.example/oauth/token', {
          method: 'POST',
          headers: { authorization: `Basic ${btoa(`${client_id}:${client_secret}`)}` },
          body: new URLSearchParams(fields),
        }),
      )
    }
    expect((await ask(['read'], 'read')).status).toBe(200)
    expect((await ask([], '')).status).toBe(200)
    expect((await ask([], 'read')).status).toBe(400)
  })

  it.each([
    ['registration', 'sometimes'],
    ['registration', null],
    ['registration.initialAccessToken', { initialAccessToken: 'short' }],
    ['registration.scopes', { scopes: ['a b'] }],
    ['registration.perAddress', { perAddress: 0 }],
    ['registration.total', { total: 1.5 }],
    ['registration.limit', { limit: 1 }],
    ['clientMetadataDocuments', 'yes', 'clientMetadataDocuments'],
    ['users', [{ username: 'a' }], 'users'],
    [
      'users: username',
      [
        { username: 'a', password: 'b', id: '1' },
        { username: 'a', password: 'b' },
      ],
      'users',
    ],
    ['autoApprove', 7, 'autoApprove'],
    ['clients: client_id', [{}], 'clients'],
    ['clients: client_secret', [{ client_id: 'a', client_secret: 'x' }], 'clients'],
    ['clients: a', [{ client_id: 'a', redirect_uris: ['javascript:x'] }], 'clients'],
  ])('or another option that is wrong is named at start-up: %s', (named, value, option = 'registration') => {
    expect(() => createIssuer({ [option]: value })).toThrow(new RegExp(`^issuer: ${named}:`))
  })

  it('autoApprove names one of the users', () => {
    const users = [{ username: 'alice', password: 'x' }]
    expect(() => createIssuer({ users, autoApprove: 'bob' })).toThrow('issuer: autoApprove')
  })
})

describe('a flood of registrations', () => {
  const start = async (options: StartOptions) => {
    issuer = await startIssuer(options)
    return (metadata: object = METADATA) => {
      const { headers, body } = post(metadata)
      return fetch(`${issuer.url}/oauth/register`, {
        method: 'POST',
        headers,
        body,
        duplex: 'half',
      } as RequestInit)
    }
  }

  it('from one address meets 429 with Retry-After, and the hour ends', async () => {
    let now = 1_800_000_000
    const register = await start({ registration: { perAddress: 20 }, clock: () => now })
    const statuses = await Promise.all(Array.from({ length: 60 }, async () => (await register()).status))
    expect(statuses.filter((status) => status === 201)).toHaveLength(20)
    const { status, headers, body } = await answer(register())
    expect([status, headers.get('retry-after'), body.error]).toEqual([429, '3600', 'temporarily_unavailable'])
    now += 3600
    expect((await register()).status).toBe(201)
  })

  it('of malformed ones counts too', async () => {
    const register = await start({ registration: { perAddress: 3 } })
    for (let i = 0; i < 3; i++) expect((await register({})).status).toBe(400)
    expect((await register()).status).toBe(429)
  })

  it('from many addresses meets the limit of all; a network of IPv6 is one address', async () => {
    const { fetch } = createIssuer({
      registration: { perAddress: 2, total: 5 },
      clientAddress: (request) => request.headers.get('x-test-address') ?? undefined,
    })
    const from = async (address?: string) => {
      const request = post()
      if (address) request.headers.set('x-test-address', address)
      return (await fetch(request)).status
    }
    expect([await from('192.0.2.1'), await from('::ffff:192.0.2.1'), await from('192.0.2.1')]).toEqual([
      201, 201, 429,
    ])
    expect([await from('2001:db8::1'), await from('2001:db8::2:3'), await from('2001:db8::3')]).toEqual([
      201, 201, 429,
    ])
    expect([await from(), await from(), await from('192.0.2.9')]).toEqual([201, 429, 429])
  })

  it('leaves nothing behind: a client that is granted nothing is forgotten in a day', async () => {
    let now = 1_800_000_000
    const clock = () => now
    const store = memoryStore({ clock, limits: { client: 3 } })
    const { fetch } = createIssuer({ store, clock })
    const clients = []
    for (let i = 0; i < 3; i++) clients.push((await answer(fetch(post()))).body)
    expect((await fetch(post())).status).toBe(503)
    const [used] = clients
    const token = await fetch(
      new Request('http://issuer.example/oauth/token', {
        method: 'POST',
        headers: { authorization: `Basic ${btoa(`${used!.client_id}:${used!.client_secret}`)}` },
        body: new URLSearchParams({ grant_type: 'client_credentials', resource: RESOURCE }),
      }),
    )
    expect(token.status).toBe(200)
    now += 86_401
    const known = await Promise.all(clients.map(async ({ client_id }) => store.get('client', client_id!)))
    expect(known.map((client) => client?.id)).toEqual([used!.client_id, undefined, undefined])
    expect((await fetch(post())).status).toBe(201)
  })
})
