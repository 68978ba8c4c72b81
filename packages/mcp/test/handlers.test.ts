import type { AuthInfo as AuthInfoV1 } from '@modelcontextprotocol/sdk/server/auth/types.js'
import { McpServer as McpServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js'
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js'
import { type AuthInfo as AuthInfoV2, createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { type AuthInfo, type GuardedHandler, type McpHandler, sharkGuard } from '@sharkguard/mcp'
import { afterAll, beforeAll, expect, expectTypeOf, it } from 'vitest'
import { Exchange } from '../../../test/support/exchange.ts'
import { callTool } from './endpoint.ts'

let exchange: Exchange
beforeAll(async () => {
  exchange = await Exchange.start('https://mcp.example.com/mcp')
})
afterAll(() => exchange.close())

/** What a tool says of its caller. */
const describeCaller = (auth: Partial<AuthInfo> | undefined) => ({
  content: [{ type: 'text' as const, text: `${auth?.clientId} ${auth?.extra?.jkt}` }],
})

/** Stateless, as `createMcpHandler` is: a server and a transport for each request. */
const handlerV1: McpHandler = async (request, options) => {
  const server = new McpServerV1({ name: 'v1', version: '1.0.0' })
  server.registerTool('whoami', {}, (extra) => describeCaller(extra.authInfo as AuthInfo))
  const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true })
  await server.connect(transport as never)
  return transport.handleRequest(request, options as never)
}

const handlerV2 = createMcpHandler(() => {
  const server = new McpServer({ name: 'v2', version: '1.0.0' })
  server.registerTool('whoami', {}, (context) => describeCaller(context.http?.authInfo as AuthInfo))
  return server
})

async function whoAmI(guarded: GuardedHandler): Promise<string> {
  const headers = {
    ...exchange.headers(),
    accept: 'application/json, text/event-stream',
    'content-type': 'application/json',
    'mcp-protocol-version': '2025-11-25',
  }
  const body = JSON.stringify(callTool('whoami'))
  return (await guarded.fetch(new Request(exchange.resource, { method: 'POST', headers, body }))).text()
}

it.each<[string, McpHandler]>([
  ['v1, its web-standard transport', handlerV1],
  ['v2, createMcpHandler', handlerV2],
])('tools of SDK %s see who calls, also where the body was read before', async (_title, handler) => {
  for (const tools of [undefined, { delete_file: ['files:write'] }]) {
    const options = { issuer: exchange.issuer, ...(tools === undefined ? {} : { tools }) }
    const guarded = sharkGuard(handler, exchange.resource, options)
    expect(await whoAmI(guarded)).toContain(`agent-1 ${exchange.agentKey.jkt}`)
    await guarded.close()
  }
})

it("our AuthInfo is the SDKs'", () => {
  expectTypeOf<AuthInfo>().toExtend<AuthInfoV1>()
  expectTypeOf<AuthInfo>().toExtend<AuthInfoV2>()
})
