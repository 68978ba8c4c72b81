import { parseArgs } from 'node:util'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Agent, DPoPProver } from '@sharkguard/agent'
import { startIssuer } from '@sharkguard/issuer'
import { playAttacks } from './attacks.ts'
import { startGuardedServer } from './mcp-server.ts'
import { playRevocations } from './revocations.ts'
import { describeAnswer, expectThat, heading, step, verdict } from './stage.ts'

const { values: flags } = parseArgs({ options: { serve: { type: 'boolean', default: false } } })

const issuer = await startIssuer(flags.serve ? { port: 8080 } : {})
const server = await startGuardedServer(issuer.url, flags.serve ? 8081 : 0)
const { resource } = server
console.log(`issuer      ${issuer.url}\nMCP server  ${resource}`)

heading('An agent that knows nothing but the URL of an MCP server')

const prover = await DPoPProver.generate()
let agent!: Agent

await step('calls without credentials, and is told where to look', async () => {
  const answer = await fetch(resource, { method: 'POST' })
  expectThat(answer.status === 401, `expected 401, got ${answer.status}`)
  const metadata = /resource_metadata="([^"]*)"/.exec(answer.headers.get('www-authenticate') ?? '')?.[1]
  expectThat(metadata !== undefined, 'the challenge names no metadata')
  return `${describeAnswer(answer)}\nits metadata is at ${metadata}`
})

await step(
  'discovers the issuer, registers itself, gets a token for this resource and this key',
  async () => {
    agent = await Agent.start({ resource, prover, scopes: ['mcp:read'] })
    await agent.token()
    return `client ${agent.clientId}\nkey    ${agent.jkt}`
  },
)

const client = new Client({ name: 'demo-agent', version: '1.0.0' })

await step('connects the stock MCP client with agent.fetch, and lists the tools', async () => {
  await client.connect(new StreamableHTTPClientTransport(new URL(resource), { fetch: agent.fetch }))
  const { tools } = await client.listTools()
  expectThat(tools.length === 3, `expected three tools, got ${tools.length}`)
  return tools.map(({ name }) => name).join(', ')
})

await step('calls each tool, with a fresh proof on each request', async () => {
  const who = await call('whoami', {})
  expectThat(who.includes(agent.clientId), `the server took the caller for somebody else: ${who}`)
  return [who, await call('add', { a: 40, b: 2 }), await call('fact', { topic: 'sharks' })].join('\n')
})

heading('What an attacker tries')
await playAttacks({ resource, issuer, prover, agent })

heading('What is revoked at the issuer, and what the next call gets')
await playRevocations({ resource, issuer })

async function call(name: string, args: Record<string, unknown>): Promise<string> {
  const { content } = await client.callTool({ name, arguments: args })
  const [first] = content as { type: string; text?: string }[]
  return first?.text ?? ''
}

const succeeded = verdict()
await client.close()
if (flags.serve) {
  console.log(`\nStill serving. Admin key: ${issuer.adminKey}. Ctrl-C ends it.`)
} else {
  agent.close()
  await server.close()
  await issuer.close()
  process.exitCode = succeeded ? 0 : 1
}
