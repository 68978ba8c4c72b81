import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { Agent } from '@sharkguard/agent'
import { type RunningIssuer, startIssuer } from '@sharkguard/issuer'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { McpHost } from '../support/mcp-server.ts'
import { WRAPPED } from './mcp-servers.ts'

let issuer: RunningIssuer
let host: McpHost
const open: { close(): unknown }[] = []

beforeAll(async () => {
  issuer = await startIssuer()
})
afterAll(() => issuer.close())
afterEach(async () => {
  for (const one of open.splice(0)) await one.close()
  await host?.close()
})

async function connect() {
  const agent = await Agent.start({ resource: host.resource, scopes: ['mcp:read'] })
  const transport = new TransportV1(new URL(host.resource), { fetch: agent.fetch })
  const client = new ClientV1({ name: 'v1', version: '1.0.0' })
  await client.connect(transport as never)
  open.push(client, agent)
  return { agent, client, transport, sessionId: transport.sessionId as string }
}

/** What an agent gets that brings this session id. */
async function list(agent: Agent, sessionId: string, method = 'POST') {
  const answer = await agent.fetch(host.resource, {
    method,
    headers: {
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      'mcp-session-id': sessionId,
      'mcp-protocol-version': '2025-11-25',
    },
    ...(method === 'POST' ? { body: '{"jsonrpc":"2.0","id":7,"method":"tools/list"}' } : {}),
  })
  return answer
}

describe.each(['fetch, v1 with sessions', 'express, v1 with sessions'])('%s', (name) => {
  it('gives a session to nobody but whoever opened it', async () => {
    host = await WRAPPED[name]!({ issuer: issuer.url, tools: { delete_file: ['files:write'] } })
    const mine = await connect()
    const other = await connect()
    expect(mine.sessionId).not.toBe(other.sessionId)
    expect((await list(mine.agent, mine.sessionId)).status).toBe(200)
    for (const method of ['POST', 'GET', 'DELETE']) {
      const stolen = await list(other.agent, mine.sessionId, method)
      expect([method, stolen.status]).toEqual([method, 404])
      expect(await stolen.text()).not.toContain(mine.sessionId)
    }
    expect((await list(mine.agent, mine.sessionId)).status).toBe(200)
  })

  it('lets its owner end it, with an empty body', async () => {
    host = await WRAPPED[name]!({ issuer: issuer.url, tools: { delete_file: ['files:write'] } })
    const { agent, transport, sessionId } = await connect()
    await transport.terminateSession()
    expect((await list(agent, sessionId)).status).toBe(404)
  })
})

describe('a stream of the server', () => {
  it('ends when the token it was opened with is revoked', async () => {
    host = await WRAPPED['fetch, v1 with sessions']!({ issuer: issuer.url })
    const { agent, sessionId } = await connect()
    const call = { jsonrpc: '2.0', id: 9, method: 'tools/call', params: { name: 'wait' } }
    const answer = await agent.fetch(host.resource, {
      method: 'POST',
      headers: {
        accept: 'application/json, text/event-stream',
        'content-type': 'application/json',
        'mcp-session-id': sessionId,
        'mcp-protocol-version': '2025-11-25',
      },
      body: JSON.stringify(call),
    })
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/event-stream'])
    const ended = answer.text()
    await issuer.revokeAgent(agent.clientId)
    expect(await ended).not.toContain('result')
  })
})
