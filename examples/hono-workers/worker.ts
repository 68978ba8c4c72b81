import { sharkGuard } from '@sharkguard/hono'
import { Hono } from 'hono'

interface Environment {
  /** This API's URL, by which tokens name it. */
  readonly RESOURCE: string
  readonly ISSUER: string
}

function createApp({ RESOURCE, ISSUER }: Environment) {
  const guarded = sharkGuard(RESOURCE, { issuer: ISSUER, scopes: ['notes:read'] })
  const app = new Hono()
  app.use(guarded.metadata)
  app.use('/notes', guarded)
  app.post('/notes', (c) => c.json({ client: c.get('auth').clientId }))
  app.get('/health', (c) => c.json({ well: true }))
  return app
}

let app: ReturnType<typeof createApp> | undefined

/**
 * An HTTP API on Hono for Workers, Bun and Deno: nothing of Node, and one guard for as long as the isolate lives. Before it
 * goes to Workers, see in the README of `@sharkguard/hono` what they need for replay and revocation.
 */
// biome-ignore lint/style/noDefaultExport: this is what these runtimes look for.
export default {
  fetch(request: Request, environment: Environment) {
    app ??= createApp(environment)
    return app.fetch(request, environment)
  },
}
