import type { MiddlewareHandler } from 'hono'
import type { Settings } from './options.ts'

/**
 * One event a request: method, path, status, milliseconds. No query, no field, no body: codes, tokens and secrets are
 * nowhere else.
 */
export function requestLog({ log }: Settings): MiddlewareHandler {
  return async (c, next) => {
    const started = performance.now()
    await next()
    const ms = Math.round(performance.now() - started)
    log({
      level: 'info',
      message: 'request',
      method: c.req.method,
      path: c.req.path,
      status: c.res.status,
      ms,
    })
  }
}
