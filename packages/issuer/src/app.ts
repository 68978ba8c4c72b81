import { type Context, Hono } from 'hono'
import { cors } from 'hono/cors'
import { etag } from 'hono/etag'
import { createAdminApi } from './admin/admin-api.ts'
import { createAdminCheck } from './admin-key.ts'
import { createAuthorizationEndpoint } from './authorize/authorization-endpoint.ts'
import { OAuthError, temporarilyUnavailable } from './errors.ts'
import { createIntrospection } from './introspection.ts'
import { describeIssuer } from './metadata.ts'
import type { Parts } from './parts.ts'
import { mountRegistration } from './registration/registration-endpoint.ts'
import { requestLog } from './request-log.ts'
import { createRevocationList } from './revocation/list.ts'
import { createSeed } from './seed.ts'
import { KEYS_MAX_AGE } from './signing-keys.ts'
import { mountStatusLists } from './status-list/endpoint.ts'
import { createTokenEndpoint } from './token-endpoint.ts'
import { createTokenRevocation } from './token-revocation.ts'
import { createVault } from './vault.ts'

/** Everything that the issuer answers, by path. */
export function createApp(parts: Parts): Hono {
  const { settings, keys, revocation, statusLists } = parts
  const isAdmin = createAdminCheck(settings.adminKey)
  const metadata = describeIssuer(settings)
  const revocationList = createRevocationList(settings, keys, revocation.followers)

  const routes = new Hono()
  routes.get('/.well-known/jwks.json', etag(), async (c) =>
    c.json(await keys.published(), 200, { 'Cache-Control': `public, max-age=${KEYS_MAX_AGE}` }),
  )
  routes.post('/oauth/token', createTokenEndpoint(parts))
  routes.post('/oauth/introspect', createIntrospection(parts, isAdmin))
  routes.post('/oauth/revoke', createTokenRevocation(parts, isAdmin))
  routes.get('/oauth/revocations', (c) => revocationList(new URL(c.req.url).searchParams, c.req.raw.signal))
  if (statusLists !== undefined) mountStatusLists(routes, settings, keys, statusLists)
  mountRegistration(routes, settings, revocation)
  for (const name of ['token', 'introspect', 'revoke', 'register']) routes.all(`/oauth/${name}`, onlyPost)
  routes.get('/api/v1/vault/:provider/token', createVault(parts))
  routes.route('/api/v1', createAdminApi(parts, isAdmin))
  routes.get('/healthz', async (c) => {
    await settings.store.get('secret', 'health')
    return c.json({ status: 'ok' })
  })

  const app = new Hono()
  const path = new URL(settings.base).pathname.replace(/\/$/, '')
  const seed = createSeed(settings)
  app.use(requestLog(settings))
  app.use(async (_c, next) => {
    await seed()
    await next()
  })
  // Before CORS: no script of another origin has any business here (RFC 9700 §2.6).
  app.on(['GET', 'POST'], `${path}/oauth/authorize`, createAuthorizationEndpoint(settings, revocation))
  app.use(
    cors({
      origin: '*',
      allowHeaders: ['Authorization', 'Content-Type', 'DPoP', 'MCP-Protocol-Version'],
      exposeHeaders: ['WWW-Authenticate', 'DPoP-Nonce'],
    }),
  )
  app.get(`/.well-known/oauth-authorization-server${path}`, (c) =>
    c.json(metadata, 200, { 'Cache-Control': 'public, max-age=3600' }),
  )
  app.route(path === '' ? '/' : path, routes)
  app.notFound((c) => c.json({ error: 'not_found', error_description: 'There is nothing here' }, 404))
  app.onError((error, c) => answerError(error, c, settings.log))
  return app
}

function onlyPost(): never {
  throw new OAuthError('invalid_request', 'The method must be POST', {
    status: 405,
    headers: { Allow: 'POST' },
  })
}

function answerError(error: Error, c: Context, log: Parts['settings']['log']): Response {
  // A store may come with a class of its own.
  const known = error.name === 'StoreUnavailable' ? temporarilyUnavailable() : error
  if (known !== error) log({ level: 'error', message: 'store unavailable', error: error.message })
  if (known instanceof OAuthError) {
    const body = { error: known.error, error_description: known.message }
    return c.json(body, known.status, { 'Cache-Control': 'no-store', ...known.headers })
  }
  log({ level: 'error', message: 'unexpected', error: String(error) })
  return c.json({ error: 'server_error', error_description: 'The request could not be processed' }, 500)
}
