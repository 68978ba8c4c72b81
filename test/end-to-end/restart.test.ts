import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  Client,
  ClientCredentialsProvider,
  DpopSession,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler } from '@modelcontextprotocol/server'
import { Agent } from '@sharkguard/agent'
import { type RunningIssuer, startIssuer } from '@sharkguard/issuer'
import { sharkGuard } from '@sharkguard/mcp'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { buildServer } from '../support/mcp-server.ts'

/** An MCP server in production whose process is started anew, at the same address: only its memory is gone. */
let issuer: RunningIssuer
let server: Server
let resource: string
let guarded: ReturnType<typeof sharkGuard> | undefined
let answers: { status: number; authorization: string; dpop: string }[]

beforeEach(async () => {
  vi.stubEnv('NODE_ENV', 'production')
  issuer = await startIssuer()
  answers = []
  server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  resource = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`
  await start()
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await guarded?.close()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  await issuer.close()
})

/** So many seconds after it nonces are asked for: more than any machine needs for this. */
async function start(): Promise<void> {
  await guarded?.close()
  guarded = sharkGuard(createMcpHandler(buildServer), resource, { issuer: issuer.url, clockTolerance: 300 })
  const handler = toNodeHandler(guarded)
  server.removeAllListeners('request')
  server.on('request', (req, res) => {
    const { authorization = '', dpop = '' } = req.headers as Record<string, string>
    if (authorization !== '')
      res.on('finish', () => answers.push({ status: res.statusCode, authorization, dpop }))
    // Its types do not know `exactOptionalPropertyTypes`.
    void handler(req as Parameters<typeof handler>[0], res)
  })
}

const initialize = {
  method: 'POST',
  headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
  body: JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } },
  }),
}

/** What an eavesdropper sends: the credentials of the last request that was let in. */
async function replay(): Promise<Response> {
  const { authorization, dpop } = answers.findLast(({ status }) => status < 300)!
  const headers = { ...initialize.headers, authorization, dpop }
  return fetch(resource, { ...initialize, headers })
}

const statuses = () => answers.splice(0).map(({ status }) => status)

it("our agent's fetch needs one more round trip after the start, and a proof from before is refused", async () => {
  const agent = await Agent.start({ resource })
  expect((await agent.fetch(resource, initialize)).status).toBe(200)
  expect((await replay()).status).toBe(401)
  await start()
  const replayed = await replay()
  expect(replayed.status).toBe(401)
  expect(replayed.headers.get('www-authenticate')).toContain('use_dpop_nonce')
  expect(replayed.headers.get('dpop-nonce')).toMatch(/^\S+$/)
  statuses()
  for (let i = 0; i < 3; i++) expect((await agent.fetch(resource, initialize)).status).toBe(200)
  expect(statuses()).toEqual([401, 200, 200, 200])
})

it('the stock MCP client with its own DPoP needs one more round trip, and goes on', async () => {
  const { clientId, clientSecret } = await issuer.registerAgent()
  class Provider extends ClientCredentialsProvider {
    readonly #session = DpopSession.create()
    dpop() {
      return this.#session
    }
  }
  const authProvider = new Provider({ clientId, clientSecret, scope: 'mcp:read', expectedIssuer: issuer.url })
  const client = new Client({ name: 'stock', version: '1.0.0' }, {})
  await client.connect(new StreamableHTTPClientTransport(new URL(resource), { authProvider }))
  expect((await client.listTools()).tools).toHaveLength(2)
  await start()
  expect((await replay()).status).toBe(401)
  statuses()
  for (let i = 0; i < 3; i++) expect((await client.callTool({ name: 'whoami' })).isError).toBeFalsy()
  expect(statuses()).toEqual([401, 200, 200, 200])
  await client.close()
})
