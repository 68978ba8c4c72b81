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
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type McpHost, startExpress, startWrapped } from '../support/mcp-server.ts'

/** The SDK's own client with its own DPoP: nothing of ours but the two servers. */
class StockProvider extends ClientCredentialsProvider {
  readonly #session = DpopSession.create()
  dpop() {
    return this.#session
  }
}

let issuer: RunningIssuer
let host: McpHost | undefined
const open: { close(): Promise<void> }[] = []

beforeEach(async () => {
  issuer = await startIssuer()
})
afterEach(async () => {
  for (const client of open.splice(0)) await client.close()
  await host?.close()
  await issuer.close()
})

async function stockProvider(scope = 'mcp:read', options: { scopes?: string[] } = {}) {
  const { clientId, clientSecret } = await issuer.registerAgent(options)
  return new StockProvider({ clientId, clientSecret, scope, expectedIssuer: issuer.url })
}

type Eras = 'legacy' | 'auto'

async function connect(resource: string, provider: StockProvider, era: Eras = 'legacy') {
  const client = new Client(
    { name: 'stock', version: '1.0.0' },
    era === 'auto' ? { versionNegotiation: { mode: 'auto' } } : {},
  )
  await client.connect(new StreamableHTTPClientTransport(new URL(resource), { authProvider: provider }))
  open.push(client)
  return client
}

async function call(
  client: { callTool(call: { name: string }): Promise<unknown> },
  name: string,
): Promise<string> {
  const result = (await client.callTool({ name })) as { content: { text: string }[] }
  return result.content[0]!.text
}

describe.each([
  ['the Express guard', startExpress],
  ['the MCP wrapper', startWrapped],
] as const)('the stock v2 client with its own DPoP, in front of %s', (_name, start) => {
  it.each(['legacy', 'auto'] as const)('lists and calls tools, %s era', async (era) => {
    host = await start({ issuer: issuer.url, scopes: ['mcp:read'] })
    const client = await connect(host.resource, await stockProvider(), era)
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['whoami', 'delete_file'])
    expect(await call(client, 'whoami')).toMatch(/^whoami shark_agent_\S+ mcp:read$/)
  })

  it('answers nonce challenges', async () => {
    host = await start({ issuer: issuer.url, nonce: true })
    const client = await connect(host.resource, await stockProvider())
    expect(await call(client, 'whoami')).toContain('whoami')
  })

  it('ends where its token is revoked and its client deactivated', async () => {
    host = await start({ issuer: issuer.url })
    const provider = await stockProvider()
    const client = await connect(host.resource, provider)
    expect(await call(client, 'whoami')).toContain('whoami')
    const { client_id: clientId } = provider.clientInformation() as { client_id: string }
    const gone = await fetch(`${issuer.url}/api/v1/agents/${clientId}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${issuer.adminKey}` },
    })
    expect(gone.status).toBe(204)
    // The guard has the rule a round trip later.
    await vi.waitFor(() => expect(call(client, 'whoami')).rejects.toThrow())
  })
})

describe('scopes per tool', () => {
  const options = () => ({ issuer: issuer.url, tools: { delete_file: ['files:write'] } })

  it('makes the stock v2 client step up', async () => {
    host = await startWrapped(options())
    const client = await connect(host.resource, await stockProvider('mcp:read'))
    expect(await call(client, 'whoami')).toContain('mcp:read')
    expect(await call(client, 'delete_file')).toContain('files:write')
  })

  it('makes our agent step up', async () => {
    host = await startWrapped(options())
    const agent = await Agent.start({ resource: host.resource, scopes: ['mcp:read'] })
    const client = new Client({ name: 'agent', version: '1.0.0' })
    await client.connect(new StreamableHTTPClientTransport(new URL(host.resource), { fetch: agent.fetch }))
    open.push(client)
    expect(await call(client, 'whoami')).toContain('mcp:read')
    expect(await call(client, 'delete_file')).toContain('files:write')
  })

  it('refuses a client that the issuer does not grant more', async () => {
    host = await startWrapped(options())
    const client = await connect(host.resource, await stockProvider('mcp:read', { scopes: ['mcp:read'] }))
    expect(await call(client, 'whoami')).toContain('mcp:read')
    await expect(call(client, 'delete_file')).rejects.toThrow()
  })
})

describe('the stock v1 client', () => {
  it("comes with Bearer where that is allowed ('when-bound')", async () => {
    host = await startExpress({ issuer: issuer.url, dpop: 'when-bound' })
    const { clientId, clientSecret } = await issuer.registerAgent()
    const provider = new ProviderV1({ clientId, clientSecret, scope: 'mcp:read' })
    const client = new ClientV1({ name: 'v1', version: '1.0.0' })
    await client.connect(new TransportV1(new URL(host.resource), { authProvider: provider }) as never)
    open.push(client)
    expect(await call(client, 'whoami')).toContain('mcp:read')
  })

  it("comes with DPoP through our agent's fetch", async () => {
    host = await startExpress({ issuer: issuer.url })
    const agent = await Agent.start({ resource: host.resource, scopes: ['mcp:read'] })
    const client = new ClientV1({ name: 'v1', version: '1.0.0' })
    await client.connect(new TransportV1(new URL(host.resource), { fetch: agent.fetch }) as never)
    open.push(client)
    expect(await call(client, 'whoami')).toContain(agent.clientId)
  })
})
