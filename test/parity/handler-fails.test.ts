import { getRequestListener } from '@hono/node-server'
import { sharkGuard as expressGuard } from '@sharkguard/express'
import { sharkGuard as fastifyGuard } from '@sharkguard/fastify'
import { sharkGuard as honoGuard } from '@sharkguard/hono'
import { sharkGuard as mcpGuard } from '@sharkguard/mcp'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Exchange } from '../support/exchange.ts'
import { listen, sendRaw } from '../support/hosts.ts'

/** A handler that fails is the host's affair: a 401 for it would have agents throw good tokens away. */
let exchange: Exchange
beforeEach(async () => {
  exchange = await Exchange.start()
})
afterEach(async () => {
  vi.restoreAllMocks()
  await exchange.close()
})

class Failure extends Error {}
const fail = () => {
  throw new Failure('of the handler')
}

async function startFailing(name: string): Promise<{ port: number; close(): Promise<unknown> }> {
  const options = { issuer: exchange.issuer, revocation: 'off' } as const
  switch (name) {
    case 'express': {
      const guarded = expressGuard(exchange.resource, options)
      const app = express().use(guarded).use(fail)
      return listen(
        app,
        () => 0,
        () => guarded.guard.close(),
      )
    }
    case 'fastify': {
      const app = fastify()
      await app.register(fastifyGuard(exchange.resource, options))
      app.all('/*', fail)
      await app.listen({ port: 0, host: '127.0.0.1' })
      return { port: (app.server.address() as { port: number }).port, close: () => app.close() }
    }
    case 'hono': {
      const guarded = honoGuard(exchange.resource, options)
      const app = new Hono().use(guarded).all('*', fail)
      return listen(
        getRequestListener(app.fetch),
        () => 0,
        () => guarded.guard.close(),
      )
    }
    default: {
      const guarded = mcpGuard(fail, exchange.resource, options)
      const listener = getRequestListener((request) => guarded.fetch(request))
      return listen(
        listener,
        () => 0,
        () => guarded.close(),
      )
    }
  }
}

it.each(['express', 'fastify', 'hono', 'mcp'])('before %s, a handler that throws is a 500', async (name) => {
  vi.spyOn(console, 'error').mockReturnValue()
  const host = await startFailing(name)
  const fields = Object.entries(exchange.headers()).map(([field, value]) => `${field}: ${value}`)
  const answer = await sendRaw(host.port, ['POST /mcp HTTP/1.1', 'Host: a', ...fields, 'Content-Length: 0'])
  expect(answer.status).toBe(500)
  expect(answer.headers).not.toHaveProperty('www-authenticate')
  await host.close()
})
