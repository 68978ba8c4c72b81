import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import type { Agent } from '@sharkguard/agent'

/** Calls tools with the stock MCP client; `agent.fetch` is all it needs. Answers the text each tool answers. */
export async function callTools(agent: Agent, ...names: readonly string[]): Promise<string[]> {
  const client = new Client({ name: 'example', version: '1.0.0' })
  await client.connect(new StreamableHTTPClientTransport(new URL(agent.resource), { fetch: agent.fetch }))
  const answers: string[] = []
  for (const name of names) {
    const { content } = await client.callTool({ name })
    answers.push((content as { text: string }[])[0]?.text ?? '')
  }
  await client.close()
  return answers
}
