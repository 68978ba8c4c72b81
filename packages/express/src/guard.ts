import {
  type Answer,
  type AuthInfo,
  breakOffWithToken,
  createGuard,
  type Guard,
  type GuardOptions,
} from '@sharkguard/core'
import type { IRouter, NextFunction, Request, RequestHandler, Response } from 'express'

declare global {
  namespace Express {
    interface Request {
      /** Who calls, verified by sharkGuard; absent where no guard ran. */
      auth?: AuthInfo
    }
  }
}

/** Express middleware, and the guard it asks. */
export interface Guarded extends RequestHandler {
  /** For `ready()`, `purge()` and `close()`. */
  readonly guard: Guard
  /**
   * Serves the resource's metadata and nothing else, for `app.use(guarded.metadata)`. Needed only where the guard itself
   * stands on a single route or inside a `Router`: there Express sends it no request for a well-known path.
   */
  readonly metadata: RequestHandler
  /**
   * For a route behind the guard that needs more scopes than its own: `app.delete('/notes/:id', guarded.requireScopes(
   * 'notes:write'), handler)`. `403` names all of them, so that clients step up; `401` where no guard ran.
   */
  requireScopes(...scopes: string[]): RequestHandler
}

/**
 * Guards an Express app, a path or a route: `app.use(sharkGuard(audience))`. Sets `req.auth`; serves the resource's
 * metadata (RFC 9728), from the app's root also when mounted by `app.use('/path', …)`. Reads no body: put it before
 * body parsers, so that refusing an upload costs nothing. What is still being sent when its token ends is broken off.
 * @throws ConfigurationError
 */
export function sharkGuard(audience: string | readonly string[], options: GuardOptions = {}): Guarded {
  const guard = createGuard(audience, options)
  const admitted = new WeakSet<Request>()

  const middleware: RequestHandler = (req, res, next) => {
    // On the app and again on a route, say; and a proof passes once.
    if (admitted.has(req)) return next()
    const decided = guard.gate(describe(req)).then((passage) => {
      if (passage.kind === 'answer') return send(res, passage.answer)
      if (passage.kind === 'allow') {
        admitted.add(req)
        req.auth = passage.auth
        breakOffWithToken(res, guard, passage.auth)
        for (const [name, value] of Object.entries(passage.headers)) res.append(name, value)
      }
      next()
    })
    // Also what cannot be answered: whoever limits the time of requests may have done it meanwhile.
    decided.catch(next)
  }

  const metadata: RequestHandler = (req, res, next) => {
    const answer = guard.metadataAnswer(describe(req))
    if (answer === undefined) next()
    else send(res, answer)
  }

  const requireScopes =
    (...scopes: string[]): RequestHandler =>
    (req, res, next) => {
      const refused = guard.requireScopes(req.auth, scopes)
      if (refused === undefined) next()
      else send(res, refused)
    }

  return Object.assign(middleware, { guard, metadata, requireScopes, ...mountable(middleware, metadata) })
}

/** The request as it came: before Express cut a mount path off its URL or merged its fields. */
function describe(req: Request) {
  // What was made of a gateway's event, by `serverless-http`, say, came without any.
  const headers = req.rawHeaders.length > 0 ? req.rawHeaders : req.headers
  return { method: req.method, url: req.originalUrl, headers }
}

function send(res: Response, { status, headers, body }: Answer): void {
  res.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) }).end(body)
}

/**
 * What `app.use('/path', …)` expects of a sub-application: Express tells those, and only those, which app they were
 * mounted on, and so the metadata can stand at that app's root, out of reach from below `/path`.
 */
function mountable(handle: RequestHandler, metadata: RequestHandler) {
  return {
    handle: (req: Request, res: Response, next: NextFunction) => handle(req, res, next),
    set: () => undefined,
    emit: (event: string, parent: IRouter) => event === 'mount' && parent.use(metadata),
  }
}
