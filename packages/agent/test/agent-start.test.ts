import { mkdtemp, readFile, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { Agent, type AgentOptions, DPoPProver } from '../src/index.ts'
import { type FakeIssuer, startIssuer } from './support/authorization-server.ts'
import { listen, type TestServer } from './support/http.ts'
import { type FakeResource, startResource } from './support/resource-server.ts'

const servers: TestServer[] = []
let issuer: FakeIssuer
let server: FakeResource
let credentialsFile: string

beforeEach(async () => {
  issuer = await startIssuer()
  server = await startResource(issuer.url)
  servers.push(issuer, server)
  credentialsFile = join(await mkdtemp(join(tmpdir(), 'agent-')), 'credentials.json')
})
afterAll(() => Promise.all(servers.map((each) => each.close())))

const start = (options: Partial<AgentOptions> = {}) => Agent.start({ resource: server.resource, ...options })
const registration = () => [...issuer.clients.values()].at(-1)!

describe('Agent.start', () => {
  it('finds the issuer, registers, and gets a token for the resource, bound to its key', async () => {
    const agent = await start()
    expect(agent.issuer).toBe(issuer.url)
    expect(agent.clientId).toBe(registration().client_id)
    expect(await agent.token()).toMatchObject({ tokenType: 'DPoP', cnfJkt: agent.jkt })
    expect(issuer.tokenRequests.map(({ form }) => Object.fromEntries(form))).toEqual([
      { grant_type: 'client_credentials', resource: server.resource },
    ])
    expect(registration()).toMatchObject({
      client_name: 'sharkGuard agent',
      grant_types: ['client_credentials'],
      response_types: [],
      token_endpoint_auth_method: 'client_secret_basic',
      dpop_bound_access_tokens: true,
    })
  })

  it('registers as it is told', async () => {
    await start({
      clientName: 'n',
      registration: { token_endpoint_auth_method: 'client_secret_post', contacts: ['x'] },
    })
    expect(registration()).toMatchObject({ client_name: 'n', contacts: ['x'] })
    expect(issuer.tokenRequests[0]?.authorization).toBeNull()
  })

  it('sends the secret in the body where the issuer wants nothing else', async () => {
    issuer.metadata.token_endpoint_auth_methods_supported = ['private_key_jwt', 'client_secret_post']
    await start()
    expect(issuer.tokenRequests[0]?.form.has('client_secret')).toBe(true)
  })

  it.each<[string, Partial<AgentOptions>, string | null]>([
    ['the scopes it is given', { scopes: ['s1', 's2'] }, 's1 s2'],
    ["else those of the resource's challenge", {}, 'c1 c2'],
  ])('asks for %s', async (_, options, scope) => {
    server.challenge = `${server.challenge}, scope="c1 c2"`
    server.metadata!.scopes_supported = ['m1']
    await start(options)
    expect(issuer.tokenRequests[0]?.form.get('scope')).toBe(scope)
    expect(registration().scope).toBe(`${scope} m1`)
  })

  it("asks for the metadata's scopes when the challenge names none", async () => {
    server.metadata!.scopes_supported = ['m1', 'm2']
    await start()
    expect(issuer.tokenRequests[0]?.form.get('scope')).toBe('m1 m2')
  })

  it('uses credentials and key it is given, and registers nobody', async () => {
    issuer.clients.set('c', { client_secret: 's', token_endpoint_auth_method: 'client_secret_basic' })
    const prover = await DPoPProver.generate({ alg: 'EdDSA' })
    const credentials = { clientId: 'c', clientSecret: 's' }
    const agent = await start({ issuer: issuer.url, credentials, prover, credentialsFile })
    expect([agent.clientId, agent.jkt, issuer.clients.size]).toEqual(['c', prover.jkt, 1])
    await expect(start({ credentials: { ...credentials, clientSecret: 'x' } })).rejects.toMatchObject({
      error: 'invalid_client',
    })
    expect(issuer.clients.size).toBe(1)
  })

  it('picks an algorithm both servers accept', async () => {
    server.metadata!.dpop_signing_alg_values_supported = ['ES256', 'Ed25519']
    issuer.metadata.dpop_signing_alg_values_supported = ['RS256', 'Ed25519']
    expect((await start()).prover.alg).toBe('Ed25519')
    issuer.metadata.dpop_signing_alg_values_supported = ['RS256']
    await expect(start()).rejects.toThrow(/do not both accept/)
    await expect(start({ prover: await DPoPProver.generate() })).rejects.toThrow(/ES256/)
  })
})

describe('discovery', () => {
  it('goes to the well-known place when the resource gives no hint, or a wrong one', async () => {
    server.challenge = 'algs="ES256"'
    await expect(start()).resolves.toBeDefined()
    server.challenge = 'resource_metadata="http://127.0.0.1:1/nowhere"'
    await expect(start()).resolves.toBeDefined()
  })

  it('does not wait for a resource that keeps its first answer open', async () => {
    const impatient: AgentOptions['fetch'] = async (input, init) => {
      if (input === server.resource) throw new DOMException('no headers yet', 'TimeoutError')
      return fetch(input, init)
    }
    expect((await start({ fetch: impatient })).issuer).toBe(issuer.url)
  })

  it('falls back to the root form, and to OpenID Connect Discovery', async () => {
    const target = await listen(({ url }) => {
      if (url.pathname === '/.well-known/oauth-protected-resource') {
        return {
          json: { resource: `${target.url}/a/b?c=d`, authorization_servers: [`${target.url}/tenant`] },
        }
      }
      if (url.pathname !== '/tenant/.well-known/openid-configuration') return undefined
      return { json: { ...issuer.metadata, issuer: `${target.url}/tenant` } }
    })
    servers.push(target)
    expect((await start({ resource: `${target.url}/a/b?c=d` })).issuer).toBe(`${target.url}/tenant`)
    expect(target.seen.map(({ url }) => url.pathname + url.search)).toEqual([
      '/a/b?c=d',
      '/.well-known/oauth-protected-resource/a/b?c=d',
      '/.well-known/oauth-protected-resource',
      '/.well-known/oauth-authorization-server/tenant',
      '/.well-known/openid-configuration/tenant',
      '/tenant/.well-known/openid-configuration',
    ])
  })

  it.each<[string, () => void, Partial<AgentOptions>, RegExp]>([
    [
      'metadata of another resource',
      () => (server.metadata!.resource = `${server.url}/`),
      {},
      /another resource/,
    ],
    ['metadata of another issuer', () => (issuer.metadata.issuer = `${issuer.url}/`), {}, /another issuer/],
    [
      'an issuer the resource does not name',
      () => undefined,
      { issuer: 'https://other.example' },
      /does not accept tokens/,
    ],
    ['no issuer at all', () => (server.metadata = undefined), {}, /pass issuer/],
    [
      'an issuer without registration',
      () => delete issuer.metadata.registration_endpoint,
      {},
      /pass credentials/,
    ],
    [
      'an issuer without token endpoint',
      () => delete issuer.metadata.token_endpoint,
      {},
      /no token_endpoint/,
    ],
    [
      'a registration without secret',
      () => (issuer.metadata.token_endpoint_auth_methods_supported = ['none']),
      {},
      /no client secrets/,
    ],
    ['a resource with a fragment', () => undefined, { resource: 'https://r.example/#x' }, /fragment/],
    ['a resource that is no URL', () => undefined, { resource: 'mcp' }, /absolute/],
    [
      'a resource that does not answer',
      () => undefined,
      { resource: 'http://127.0.0.1:1/' },
      /did not answer/,
    ],
  ])('stops at %s', async (_, spoil, options, message) => {
    spoil()
    await expect(start(options)).rejects.toThrow(message)
    expect(issuer.clients.size + issuer.tokenRequests.length).toBe(0)
  })

  it('does without resource metadata when the issuer is given', async () => {
    server.metadata = undefined
    expect((await start({ issuer: issuer.url })).issuer).toBe(issuer.url)
  })

  it('does not step down from https', async () => {
    const answers: Record<string, unknown> = {
      'https://r.example/.well-known/oauth-protected-resource': {
        resource: 'https://r.example',
        authorization_servers: ['http://as.example'],
      },
    }
    const fetch = async (url: unknown) => {
      const found = answers[String(url)]
      return found === undefined ? new Response('', { status: 404 }) : Response.json(found)
    }
    await expect(Agent.start({ resource: 'https://r.example', fetch })).rejects.toThrow(
      /must be an https URL/,
    )
  })
})

describe('the credentials file', () => {
  const parse = async () => JSON.parse(await readFile(credentialsFile, 'utf8'))

  it('makes the second start the same agent, without registering', async () => {
    const first = await start({ credentialsFile })
    const second = await start({ credentialsFile })
    expect([second.clientId, second.jkt, issuer.clients.size]).toEqual([first.clientId, first.jkt, 1])
    expect((await stat(credentialsFile)).mode & 0o777).toBe(0o600)
    expect(Object.keys((await parse()).issuers)).toEqual([issuer.url])
  })

  it('serves agents that start at once with one registration', async () => {
    const agents = await Promise.all([1, 2, 3].map(() => start({ credentialsFile })))
    expect(new Set(agents.map(({ clientId, jkt }) => `${clientId} ${jkt}`)).size).toBe(1)
    expect(issuer.clients.size).toBe(1)
  })

  it('is never used with another issuer', async () => {
    const first = await start({ credentialsFile })
    const another = await startIssuer()
    servers.push(another)
    server.metadata!.authorization_servers = [another.url]
    const second = await start({ credentialsFile })
    expect(second.jkt).not.toBe(first.jkt)
    expect(another.clients.has(first.clientId)).toBe(false)
    expect(Object.keys((await parse()).issuers)).toEqual([issuer.url, another.url])
  })

  it('is renewed when the issuer has forgotten the client, with the same key', async () => {
    const first = await start({ credentialsFile })
    issuer.clients.clear()
    const second = await start({ credentialsFile })
    expect(second.clientId).not.toBe(first.clientId)
    expect(second.jkt).toBe(first.jkt)
    expect((await parse()).issuers[issuer.url].client.client_id).toBe(second.clientId)
  })

  it('is renewed when the secret has ended, and not before', async () => {
    const registration = { client_secret_expires_at: 2000 }
    for (const now of [1000, 1999, 2000]) await start({ credentialsFile, registration, clock: () => now })
    expect(issuer.clients.size).toBe(2)
  })

  it('keeps no key and no secret that were given', async () => {
    issuer.clients.set('c', { client_secret: 'given', token_endpoint_auth_method: 'client_secret_basic' })
    const prover = await DPoPProver.generate()
    await start({ credentialsFile, prover })
    expect((await parse()).issuers[issuer.url]).not.toHaveProperty('private_key')
    const given = { credentialsFile, credentials: { clientId: 'c', clientSecret: 'given' } }
    const [first, second] = [await start(given), await start(given)]
    expect(second.jkt).toBe(first.jkt)
    expect(await readFile(credentialsFile, 'utf8')).not.toContain('given')
  })
})
