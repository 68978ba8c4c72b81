import {
  Client,
  ClientCredentialsProvider,
  DpopSession,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client'
import { ClientCredentialsProvider as ProviderV1 } from '@modelcontextprotocol/sdk/client/auth-extensions.js'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { Agent } from '@sharkguard/agent'
import { type RunningIssuer, startIssuer } from '@sharkguard/issuer'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { McpHost } from '../support/mcp-server.ts'
import { GUARDED_V2, WRAPPED } from './mcp-servers.ts'

/** The SDK's own client with its own DPoP: nothing of ours but the two servers. */
class StockProvider extends ClientCredentialsProvider {
  readonly #session = DpopSession.create()
  dpop() {
    return this.#session
  }
}

let issuer: RunningIssuer
let host: McpHost
const open: { close(): Promise<void> }[] = []

beforeAll(async () => {
  issuer = await startIssuer()
})
afterAll(() => issuer.close())
afterEach(async () => {
  for (const client of open.splice(0)) await client.close()
  await host?.close()
})

type Era = 'legacy' | 'auto'
interface Caller {
  callTool(call: { name: string }): Promise<unknown>
}

async function connect(era: Era = 'legacy', scope = 'mcp:read', scopes?: string[]) {
  const { clientId, clientSecret } = await issuer.registerAgent(scopes ? { scopes } : {})
  const provider = new StockProvider({ clientId, clientSecret, scope, expectedIssuer: issuer.url })
  const client = new Client(
    { name: 'stock', version: '1.0.0' },
    era === 'auto' ? { versionNegotiation: { mode: 'auto' } } : {},
  )
  await client.connect(new StreamableHTTPClientTransport(new URL(host.resource), { authProvider: provider }))
  open.push(client)
  return { client, clientId }
}

async function call(client: Caller, name: string): Promise<string> {
  const { content } = (await client.callTool({ name })) as { content: { text: string }[] }
  return content[0]!.text
}

const cases = Object.entries({ ...GUARDED_V2, ...WRAPPED }).flatMap(([name, start]) =>
  (['legacy', 'auto'] as const).flatMap((era) => [false, true].map((nonce) => ({ name, start, era, nonce }))),
)

describe('the stock v2 client with its own DPoP', () => {
  it.each(cases)('lists and calls tools: $name, $era era, nonces $nonce', async ({ start, era, nonce }) => {
    host = await start({ issuer: issuer.url, scopes: ['mcp:read'], nonce })
    const { client, clientId } = await connect(era)
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain('delete_file')
    for (let i = 0; i < 3; i++) expect(await call(client, 'whoami')).toBe(`whoami ${clientId} mcp:read`)
  })

  it.each(
    Object.entries(WRAPPED).flatMap(([name, start]) =>
      [false, true].map((nonce) => ({ name, start, nonce })),
    ),
  )('steps up to the scopes of a tool: $name, nonces $nonce', async ({ start, nonce }) => {
    host = await start({ issuer: issuer.url, tools: { delete_file: ['files:write', 'files:read'] }, nonce })
    const { client, clientId } = await connect(start === WRAPPED['node:http, v2'] ? 'auto' : 'legacy')
    expect(await call(client, 'whoami')).toBe(`whoami ${clientId} mcp:read`)
    expect(await call(client, 'delete_file')).toMatch(/files:write/)
    expect(await call(client, 'delete_file')).toMatch(/files:read/)
  })

  it.each(Object.entries(WRAPPED))('stays out where the issuer grants no more: %s', async (_name, start) => {
    host = await start({ issuer: issuer.url, tools: { delete_file: ['files:write'] } })
    const { client } = await connect('legacy', 'mcp:read', ['mcp:read'])
    await expect(call(client, 'delete_file')).rejects.toThrow()
    expect(await call(client, 'whoami')).toContain('mcp:read')
  })
})

describe('the stock v1 client', () => {
  it.each(Object.entries({ ...GUARDED_V2, ...WRAPPED }))(
    "comes with Bearer where that is allowed ('when-bound'): %s",
    async (_name, start) => {
      host = await start({ issuer: issuer.url, dpop: 'when-bound', scopes: ['mcp:read'] })
      const { clientId, clientSecret } = await issuer.registerAgent()
      const provider = new ProviderV1({
        clientId,
        clientSecret,
        scope: 'mcp:read',
        expectedIssuer: issuer.url,
      })
      const client = new ClientV1({ name: 'v1', version: '1.0.0' })
      await client.connect(new TransportV1(new URL(host.resource), { authProvider: provider }) as never)
      open.push(client)
      expect(await call(client, 'whoami')).toBe(`whoami ${clientId} mcp:read`)
    },
  )

  it.each(Object.entries({ ...GUARDED_V2, ...WRAPPED }))(
    "comes with DPoP through our agent's fetch, nonces and all: %s",
    async (_name, start) => {
      host = await start({ issuer: issuer.url, nonce: true })
      const agent = await Agent.start({ resource: host.resource, scopes: ['mcp:read'] })
      const client = new ClientV1({ name: 'v1', version: '1.0.0' })
      await client.connect(new TransportV1(new URL(host.resource), { fetch: agent.fetch }) as never)
      open.push(client)
      expect(await call(client, 'whoami')).toBe(`whoami ${agent.clientId} mcp:read`)
      agent.close()
    },
  )
})

describe('public and protected tools on one endpoint', () => {
  it.each(['node:http, v2', 'hono, v2', 'fetch, v1 with sessions'])('%s', async (name) => {
    host = await WRAPPED[name]!({ issuer: issuer.url, public: ['whoami'] })
    const anonymous = new Client({ name: 'anonymous', version: '1.0.0' })
    await anonymous.connect(new StreamableHTTPClientTransport(new URL(host.resource)))
    open.push(anonymous)
    expect(await call(anonymous, 'whoami')).toBe('whoami undefined undefined')
    await expect(call(anonymous, 'delete_file')).rejects.toThrow()
    const { client, clientId } = await connect()
    expect(await call(client, 'delete_file')).toContain(clientId)
  })

  it('a client that connected anonymously signs in when a tool asks for it, and keeps its session', async () => {
    host = await WRAPPED['fetch, v1 with sessions']!({ issuer: issuer.url, public: ['whoami'] })
    const { clientId, clientSecret } = await issuer.registerAgent()
    const provider = new StockProvider({
      clientId,
      clientSecret,
      scope: 'mcp:read',
      expectedIssuer: issuer.url,
    })
    const client = new Client({ name: 'stock', version: '1.0.0' })
    const transport = new StreamableHTTPClientTransport(new URL(host.resource), { authProvider: provider })
    await client.connect(transport)
    open.push(client)
    const { sessionId } = transport
    expect(await call(client, 'delete_file')).toContain(clientId)
    expect(transport.sessionId).toBe(sessionId)
  })
})
