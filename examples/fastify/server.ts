import { sharkGuard } from '@sharkguard/fastify'
import fastify from 'fastify'
import type { StartExample } from '../visit.ts'

/** An HTTP API on Fastify, one part of it guarded: encapsulation says which. */
export const startServer: StartExample = async ({ issuer, port }) => {
  const resource = `http://127.0.0.1:${port}/notes`
  const app = fastify()

  await app.register(
    async (notes) => {
      await notes.register(sharkGuard(resource, { issuer, scopes: ['notes:read'] }))
      notes.post('', async (request) => ({
        client: request.auth?.clientId,
        mayWrite: request.auth?.hasScope('notes:write'),
      }))
    },
    { prefix: '/notes' },
  )
  app.get('/health', async () => ({ well: true }))

  await app.listen({ port, host: '127.0.0.1' })
  return { resource, close: () => app.close() }
}
