import {
  type Answer,
  type AuthInfo,
  breakOffWithToken,
  createGuard,
  type Guard,
  type GuardOptions,
} from '@sharkguard/core'
import type {
  FastifyInstance,
  FastifyPluginAsync,
  FastifyReply,
  FastifyRequest,
  onRequestAsyncHookHandler,
} from 'fastify'
import { fastifyPlugin } from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who calls, verified by sharkGuard; `null` where no guard ran. */
    auth: AuthInfo | null
  }
}

/** A Fastify plugin, and the guard it asks. */
export interface Guarded extends FastifyPluginAsync {
  /** For `ready()`, `purge()` and `watch()`. Closes with the server. */
  readonly guard: Guard
  /**
   * For a route behind the guard that needs more scopes than its own: `app.delete('/notes/:id', { onRequest:
   * guarded.requireScopes('notes:write') }, handler)`. `403` names all of them, so that clients step up; `401` where no guard
   * ran.
   */
  requireScopes(...scopes: string[]): onRequestAsyncHookHandler
}

/**
 * Guards the context it is registered in, and those within: `await app.register(sharkGuard(audience))`. Sets
 * `request.auth`; serves the resource's metadata (RFC 9728) from the root of the server, also out of a child context with
 * a prefix; runs `onRequest`, before any body is read. What is still being sent when its token ends is broken off.
 * @throws ConfigurationError
 */
export function sharkGuard(audience: string | readonly string[], options: GuardOptions = {}): Guarded {
  const guard = createGuard(audience, options)
  const admitted = new WeakSet<FastifyRequest>()

  const plugin: FastifyPluginAsync = async (app) => {
    if (!app.hasRequestDecorator('auth')) app.decorateRequest('auth', null)
    app.addHook('onRequest', async (request, reply) => {
      // Registered in a context and again in one within, say; and a proof passes once.
      if (admitted.has(request)) return
      const passage = await guard.gate(describe(request))
      if (passage.kind === 'answer') return send(reply, passage.answer)
      if (passage.kind === 'allow') {
        admitted.add(request)
        request.auth = passage.auth
        // Where the MCP SDK's Node adapter looks.
        Object.assign(request.raw, { auth: passage.auth })
        breakOffWithToken(reply.raw, guard, passage.auth)
        for (const [name, value] of Object.entries(passage.headers)) {
          append(reply, name, value)
          // A hijacked reply is written past Fastify, as the MCP SDK does.
          reply.raw.setHeader(name, value)
        }
      }
    })
    app.addHook('onClose', () => guard.close())
    serveMetadata(app, guard)
  }
  const requireScopes =
    (...scopes: string[]): onRequestAsyncHookHandler =>
    async (request, reply) => {
      const refused = guard.requireScopes(request.auth, scopes)
      if (refused !== undefined) return send(reply, refused)
    }

  const registered = fastifyPlugin(plugin, { name: '@sharkguard/fastify', fastify: '5.x' })
  return Object.assign(registered, { guard, requireScopes })
}

/**
 * At the root of the server, where clients look. Hooks of a child context see only requests to its own routes, so the
 * document needs routes, and a child's would stand under its prefix. Of two guards the first has the root form.
 */
function serveMetadata(app: FastifyInstance, guard: Guard): void {
  const root = rootOf(app)
  for (const url of guard.metadataPaths) {
    if (root.hasRoute({ method: 'GET', url })) continue
    root.route({
      method: ['GET', 'HEAD', 'OPTIONS'],
      url,
      // Its router takes more spellings for this path than one.
      handler: (request, reply) => {
        const answer = guard.metadataAnswer(describe(request))
        return answer === undefined ? reply.callNotFound() : send(reply, answer)
      },
    })
  }
}

/** Contexts inherit from one another, and the server belongs to the first. */
function rootOf(app: FastifyInstance): FastifyInstance {
  let context = app
  while (!Object.hasOwn(context, 'server')) context = Object.getPrototypeOf(context)
  return context
}

/** The request as it came: before Fastify rewrote its URL or merged its fields. */
function describe(request: FastifyRequest) {
  return { method: request.method, url: request.originalUrl, headers: request.raw.rawHeaders }
}

/** Adds to what others have set: a CORS plugin exposes fields too. */
function append(reply: FastifyReply, name: string, value: string): void {
  const present = reply.getHeader(name)
  reply.header(name, present === undefined ? value : `${present}, ${value}`)
}

/** As bytes: Fastify adds a charset to text, and JSON has none (RFC 8259 §11). */
function send(reply: FastifyReply, { status, headers, body }: Answer) {
  return reply
    .code(status)
    .headers(headers)
    .send(body === '' ? undefined : Buffer.from(body))
}
