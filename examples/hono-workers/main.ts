import { strict as assert } from 'node:assert'
import { getRequestListener } from '@hono/node-server'
import { listen } from '../listen.ts'
import { visit } from '../visit.ts'
import worker from './worker.ts'

/** Node in the place of the runtime, so that the example runs anywhere. */
async function startWorker({ issuer, port }: { issuer: string; port: number }) {
  const resource = `http://127.0.0.1:${port}/notes`
  const environment = { RESOURCE: resource, ISSUER: issuer }
  const server = await listen(
    getRequestListener((request) => worker.fetch(request, environment)),
    port,
  )
  return { resource, close: () => server.close() }
}

await visit(startWorker, async (agent) => {
  const answer = await agent.fetch(agent.resource, { method: 'POST' })
  assert.deepEqual(await answer.json(), { client: agent.clientId })
  const health = await fetch(new URL('/health', agent.resource))
  assert.deepEqual(await health.json(), { well: true }, 'what is beside the guard stays open')
})
