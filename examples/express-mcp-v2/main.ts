import { strict as assert } from 'node:assert'
import { callTools } from '../call-tool.ts'
import { visit } from '../visit.ts'
import { startServer } from './server.ts'

await visit(startServer, async (agent) => {
  assert.deepEqual(await callTools(agent, 'whoami'), [`you are ${agent.clientId}`])
})
