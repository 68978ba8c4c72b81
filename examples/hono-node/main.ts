import { strict as assert } from 'node:assert'
import { callTools } from '../call-tool.ts'
import { visit } from '../visit.ts'
import { startServer } from './server.ts'

await visit(startServer, async (agent) => {
  const names = ['whoami', 'delete_note']
  const expected = names.map((name) => `${name}: ${agent.clientId}`)
  assert.deepEqual(await callTools(agent, ...names), expected)
  assert.match((await agent.token()).scope, /notes:write/, 'the agent stepped up')
})
