import { strict as assert } from 'node:assert'
import { visit } from '../visit.ts'
import { startServer } from './server.ts'

await visit(startServer, async (agent) => {
  const answer = await agent.fetch(agent.resource, { method: 'POST' })
  assert.deepEqual(await answer.json(), { client: agent.clientId, mayWrite: false })
  const health = await fetch(new URL('/health', agent.resource))
  assert.deepEqual(await health.json(), { well: true }, 'what is beside the guard stays open')
})
