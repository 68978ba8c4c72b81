import {
  type Answer,
  type AuthInfo,
  createGuard,
  endWithToken,
  type Guard,
  type GuardOptions,
} from '@sharkguard/core'
import type { Context, MiddlewareHandler } from 'hono'
import type { StatusCode } from 'hono/utils/http-status'

declare module 'hono' {
  interface ContextVariableMap {
    /** Who calls, verified by sharkGuard. Set in handlers behind the guard. */
    auth: AuthInfo
  }
}

/** Hono middleware, and the guard it asks. */
export interface Guarded extends MiddlewareHandler<{ Variables: { auth: AuthInfo } }> {
  /** For `ready()`, `purge()` and `close()`. */
  readonly guard: Guard
  /**
   * Serves the resource's metadata and nothing else, for `app.use(guarded.metadata)` at the app's root. Needed only where
   * the guard itself stands under a path: Hono sends it no request for a well-known path then.
   */
  readonly metadata: MiddlewareHandler
  /**
   * For a route behind the guard that needs more scopes than its own: `app.delete('/notes/:id', guarded.requireScopes(
   * 'notes:write'), handler)`. `403` names all of them, so that clients step up; `401` where no guard ran.
   */
  requireScopes(...scopes: string[]): MiddlewareHandler
}

/**
 * Guards a Hono app or a path: `app.use(sharkGuard(audience))`. Sets `c.get('auth')`; serves the resource's metadata (RFC
 * 9728); reads no body; ends streams with the token they were opened with. Runs wherever Hono does.
 * @throws ConfigurationError
 */
export function sharkGuard(audience: string | readonly string[], options: GuardOptions = {}): Guarded {
  const guard = createGuard(audience, options)
  const admitted = new WeakSet<Context>()

  const middleware: MiddlewareHandler = async (c, next) => {
    // Both `/mcp` and `/mcp/*` match `/mcp`, and a proof passes once.
    if (admitted.has(c)) return next()
    const passage = await guard.gate(describe(c))
    if (passage.kind === 'answer') return respond(c, passage.answer)
    if (passage.kind === 'pass') return next()
    admitted.add(c)
    c.set('auth', passage.auth)
    const fields = Object.entries(passage.headers)
    for (const [name, value] of fields) c.header(name, value, { append: true })
    await next()
    // Of what answers HEAD Hono reads no body: a stream of it would never end.
    const lasting = c.req.method === 'HEAD' ? c.res : endWithToken(c.res, guard, passage.auth)
    if (lasting !== c.res) c.res = lasting
    // Not in what the handler made without `c`, nor where another middleware has set the same field. To change a response
    // that is done means to make it anew, which is dear.
    for (const [name, value] of fields) {
      if (!c.res.headers.get(name)?.includes(value)) c.header(name, value, { append: true })
    }
  }

  const metadata: MiddlewareHandler = async (c, next) => {
    const answer = guard.metadataAnswer(describe(c))
    return answer === undefined ? next() : respond(c, answer)
  }

  const requireScopes =
    (...scopes: string[]): MiddlewareHandler =>
    async (c, next) => {
      const refused = guard.requireScopes(c.get('auth'), scopes)
      return refused === undefined ? next() : respond(c, refused)
    }

  return Object.assign(middleware, { guard, metadata, requireScopes })
}

/** The request as it came. Its URL was put together from `Host`, which says nothing: what is left is the target. */
function describe(c: Context) {
  const { method, url, headers } = c.req.raw
  return { method, url: url.replace(/^[^:/?#]+:\/\/[^/?#]*/, '') || '/', headers }
}

/** Not as a `Response` of our own: Hono would lay over it what others have set, such as the fields that `hono/cors` exposes. */
function respond(c: Context, { status, headers, body }: Answer): Response {
  for (const [name, value] of Object.entries(headers)) {
    c.header(name, value, { append: name === 'Access-Control-Expose-Headers' })
  }
  return c.newResponse(body === '' ? null : body, status as StatusCode)
}
