import { Client, DpopSession, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { type RunningIssuer, startIssuer } from '@sharkguard/issuer'
import type { McpGuardOptions } from '@sharkguard/mcp'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type McpHost, startWrapped } from '../support/mcp-server.ts'
import { SignedInProvider } from '../support/signed-in-provider.ts'

/** The SDK's own DPoP. */
class DpopProvider extends SignedInProvider {
  readonly #session = DpopSession.create()
  dpop = () => this.#session
}

let issuer: RunningIssuer
let host: McpHost
const open: { close(): Promise<void> }[] = []

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  issuer = await startIssuer({
    users: [{ id: 'usr_alice', username: 'alice', password: 'x' }],
    autoApprove: 'alice',
    redirectSchemes: ['cursor'],
  })
})
afterEach(async () => {
  for (const client of open.splice(0)) await client.close()
  await host?.close()
  await issuer.close()
  vi.useRealTimers()
})

const guard = async (options: McpGuardOptions = {}) => {
  host = await startWrapped({ issuer: issuer.url, ...options })
}

/** For all: issuer, guard and client read the same clock. */
const pass = (seconds: number) => vi.setSystemTime(Date.now() + seconds * 1000)

interface Stock {
  callTool(call: { name: string }): Promise<unknown>
}

/** An application: `away` sends the user away, `back` goes on when they have come back. */
interface Line {
  away(provider: SignedInProvider): Promise<void>
  back(provider: SignedInProvider): Promise<Stock>
}

const V2: Line = {
  async away(provider) {
    const client = new Client({ name: 'stock', version: '1.0.0' })
    await expect(client.connect(transportV2(provider))).rejects.toThrow('Unauthorized')
  },
  async back(provider) {
    await transportV2(provider).finishAuth(provider.answers.at(-1)!)
    const client = new Client({ name: 'stock', version: '1.0.0' })
    await client.connect(transportV2(provider))
    open.push(client)
    return client
  },
}

const V1: Line = {
  async away(provider) {
    const client = new ClientV1({ name: 'v1', version: '1.0.0' })
    await expect(client.connect(transportV1(provider) as never)).rejects.toThrow('Unauthorized')
  },
  async back(provider) {
    await transportV1(provider).finishAuth(provider.answers.at(-1)!.get('code')!)
    const client = new ClientV1({ name: 'v1', version: '1.0.0' })
    await client.connect(transportV1(provider) as never)
    open.push(client)
    return client
  },
}

const transportV2 = (provider: SignedInProvider) =>
  new StreamableHTTPClientTransport(new URL(host.resource), { authProvider: provider })
const transportV1 = (provider: SignedInProvider) =>
  new TransportV1(new URL(host.resource), { authProvider: provider as never })

const LINES: Record<
  string,
  { line: Line; dpop: 'required' | 'when-bound'; Provider: typeof SignedInProvider }
> = {
  'v2, with DPoP': { line: V2, dpop: 'required', Provider: DpopProvider },
  'v2, with Bearer': { line: V2, dpop: 'when-bound', Provider: SignedInProvider },
  'v1, with Bearer': { line: V1, dpop: 'when-bound', Provider: SignedInProvider },
}

async function connect({ away, back }: Line, provider: SignedInProvider): Promise<Stock> {
  await away(provider)
  return back(provider)
}

async function call(client: Stock, name: string): Promise<string> {
  const { content } = (await client.callTool({ name })) as { content: { text: string }[] }
  return content[0]!.text
}

describe.each(Object.entries(LINES))('the stock client, %s', (_name, { line, dpop, Provider }) => {
  it('registers, signs its user in, and calls tools in their name', async () => {
    await guard({ dpop, scopes: ['mcp:read'] })
    const provider = new Provider()
    const client = await connect(line, provider)
    const { client_id: clientId } = provider.clientInformation() as { client_id: string }
    expect(await call(client, 'whoami')).toBe(`whoami ${clientId} mcp:read`)
    expect(Object.fromEntries(provider.answers[0]!)).toMatchObject({ iss: issuer.url, state: 'state-0' })
    const { token_type: type, access_token: token } = provider.tokens() as Record<string, string>
    expect(type).toBe(dpop === 'required' ? 'DPoP' : 'Bearer')
    expect(JSON.parse(atob(token!.split('.')[1]!))).toMatchObject({ sub: 'usr_alice', aud: host.resource })
  })

  it.each(['com.example.app:/callback', 'cursor://anysphere.cursor-mcp/oauth/callback'])(
    'comes back by a scheme of its own: %s',
    async (redirectUrl) => {
      await guard({ dpop, scopes: ['mcp:read'] })
      const provider = new Provider({ redirectUrl })
      const client = await connect(line, provider)
      expect(provider.clientInformation()).toMatchObject({ redirect_uris: [redirectUrl] })
      expect(await call(client, 'whoami')).toMatch(/^whoami shark_dcr_\S+ mcp:read$/)
    },
  )

  it('refreshes its token when that has expired, once and again', async () => {
    await guard({ dpop, scopes: ['mcp:read'] })
    const provider = new Provider()
    const client = await connect(line, provider)
    const seen = new Set<string>()
    for (let i = 0; i < 3; i++) {
      expect(await call(client, 'whoami')).toContain('mcp:read')
      seen.add((provider.tokens() as { refresh_token: string }).refresh_token)
      pass(400)
    }
    expect(seen.size).toBe(3)
    expect(provider.answers).toHaveLength(1)
  })

  it('signs its user in again when an administrator has ended what they agreed to', async () => {
    await guard({ dpop, scopes: ['mcp:read'] })
    const provider = new Provider()
    const client = await connect(line, provider)
    expect(await call(client, 'whoami')).toContain('mcp:read')
    pass(10)
    await issuer.revokeUser('usr_alice')
    pass(400)
    await expect(call(client, 'whoami')).rejects.toThrow()
    expect(provider.answers).toHaveLength(2)
  })
})

describe('scopes per tool', () => {
  it.each(Object.entries(LINES))(
    'make the stock client step up: %s',
    async (_name, { line, dpop, Provider }) => {
      await guard({ dpop, scopes: ['mcp:read'], tools: { delete_file: ['mcp:read', 'files:write'] } })
      // With a refresh token the v1 client only refreshes, which widens nothing.
      const metadata = line === V1 ? { grant_types: ['authorization_code'] } : {}
      const provider = new Provider({ metadata })
      const client = await connect(line, provider)
      expect(await call(client, 'whoami')).toContain('mcp:read')
      await expect(call(client, 'delete_file')).rejects.toThrow()
      expect(provider.answers).toHaveLength(2)
      expect(await call(await line.back(provider), 'delete_file')).toContain('files:write')
    },
  )
})
