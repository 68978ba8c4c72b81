import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import type { Decision, GuardOptions } from '@sharkguard/core'
import { sharkGuard as expressGuard } from '@sharkguard/express'
import { sharkGuard as fastifyGuard } from '@sharkguard/fastify'
import { sharkGuard as honoGuard } from '@sharkguard/hono'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { parseChallenges } from '../support/challenges.ts'
import { Exchange } from '../support/exchange.ts'
import { type Host, listen, type StartHost } from '../support/hosts.ts'

/** A guard before all, and two routes that need more: `DELETE /mcp`, and `/open`, which no guard stands before. */
const HOSTS: Readonly<Record<string, StartHost>> = {
  async express(audience, options) {
    const guarded = expressGuard(audience, options)
    let runs = 0
    const app = express()
    app.get('/open', guarded.requireScopes(), (_req, res) => res.sendStatus(200))
    app.use(guarded)
    app.delete('/mcp', guarded.requireScopes('notes:write', 'notes:purge'), (req, res) => {
      runs++
      res.json({ client: req.auth?.clientId })
    })
    return listen(
      app,
      () => runs,
      () => guarded.guard.close(),
    )
  },

  async fastify(audience, options) {
    const guarded = fastifyGuard(audience, options)
    let runs = 0
    const app = fastify()
    app.decorateRequest('auth', null)
    app.get('/open', { onRequest: guarded.requireScopes() }, async () => 'open')
    await app.register(async (child) => {
      await child.register(guarded)
      const onRequest = guarded.requireScopes('notes:write', 'notes:purge')
      child.delete('/mcp', { onRequest }, async (request) => {
        runs++
        return { client: request.auth?.clientId }
      })
    })
    await app.listen({ port: 0, host: '127.0.0.1' })
    return { port: (app.server.address() as AddressInfo).port, runs: () => runs, close: () => app.close() }
  },

  async hono(audience, options) {
    const guarded = honoGuard(audience, options)
    let runs = 0
    const app = new Hono()
    app.get('/open', guarded.requireScopes(), (c) => c.text('open'))
    app.use(guarded)
    app.delete('/mcp', guarded.requireScopes('notes:write', 'notes:purge'), (c) => {
      runs++
      return c.json({ client: c.get('auth').clientId })
    })
    return listen(
      getRequestListener(app.fetch),
      () => runs,
      () => guarded.guard.close(),
    )
  },
}

let exchange: Exchange
let host: Host
let decisions: Decision[]

beforeAll(async () => {
  exchange = await Exchange.start()
})
afterAll(() => exchange.close())

describe.each(Object.entries(HOSTS))('requireScopes of %s', (_name, start) => {
  const begin = async (options: GuardOptions = {}) => {
    decisions = []
    const onDecision = (decision: Decision) => void decisions.push(decision)
    host = await start(exchange.resource, {
      issuer: exchange.issuer,
      scopes: ['notes:read'],
      onDecision,
      ...options,
    })
  }
  beforeEach(() => begin())
  afterEach(() => host.close())

  const purge = (scope: string) => {
    const token = exchange.token({ claims: { scope } })
    const proof = exchange.proof(token, { method: 'DELETE' })
    return fetch(`http://127.0.0.1:${host.port}/mcp`, {
      method: 'DELETE',
      headers: exchange.headers({ token, proof }),
    })
  }

  it('lets in who has all of them', async () => {
    const answer = await purge('notes:read notes:write notes:purge')
    expect([answer.status, await answer.json()]).toEqual([200, { client: 'agent-1' }])
  })

  it('refuses who lacks one, naming all that the operation needs, and tells onDecision', async () => {
    const answer = await purge('notes:read notes:write')
    expect([answer.status, host.runs()]).toEqual([403, 0])
    expect(await answer.json()).toMatchObject({ error: 'insufficient_scope' })
    const [challenge] = parseChallenges(answer.headers.get('www-authenticate') ?? '')
    expect(challenge).toMatchObject({
      scheme: 'DPoP',
      parameters: { error: 'insufficient_scope', scope: 'notes:read notes:write notes:purge' },
    })
    expect(decisions.map(({ outcome }) => outcome)).toEqual(['allowed', 'refused'])
    expect(decisions[1]).toMatchObject({
      reason: 'insufficient_scope',
      clientId: 'agent-1',
      issuer: exchange.issuer,
      scheme: 'DPoP',
    })
  })

  it('takes what a held scope implies', async () => {
    expect((await purge('notes notes:read')).status).toBe(403)
    await host.close()
    await begin({
      impliesScope: (granted, needed) => granted === needed || needed.startsWith(`${granted}:`),
    })
    expect((await purge('notes')).status).toBe(200)
  })

  it('asks for credentials where no guard has run', async () => {
    const answer = await fetch(`http://127.0.0.1:${host.port}/open`, { headers: exchange.headers() })
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toMatch(/^DPoP algs="/)
  })
})
