import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { serve } from '@hono/node-server'
import { Agent } from '@sharkguard/agent'
import { createGuard } from '@sharkguard/core'
import { sharkGuard as expressGuard } from '@sharkguard/express'
import { sharkGuard as fastifyGuard } from '@sharkguard/fastify'
import { sharkGuard as honoGuard } from '@sharkguard/hono'
import { startIssuer } from '@sharkguard/issuer'
import { sharkGuard as mcpGuard } from '@sharkguard/mcp'
import { redisReplayStore } from '@sharkguard/redis'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'

// Every package, called from plain JavaScript as its README says, over real HTTP.
const issuer = await startIssuer()
assert.equal(typeof redisReplayStore, 'function')

const listen = (server) =>
  new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)))
const close = (server) => {
  server.closeAllConnections?.()
  return new Promise((resolve) => server.close(resolve))
}
const freePort = async () => {
  const server = createServer()
  const port = await listen(server)
  await close(server)
  return port
}

const hosts = {
  async core(audience, port) {
    const guard = createGuard(audience, { issuer: issuer.url })
    const server = createServer(async (req, res) => {
      const passage = await guard.gate({ method: req.method, url: req.url, headers: req.rawHeaders })
      if (passage.kind === 'answer') {
        res.writeHead(passage.answer.status, passage.answer.headers).end(passage.answer.body)
      } else res.end(passage.auth.clientId)
    })
    server.listen(port, '127.0.0.1')
    return async () => {
      await guard.close()
      await close(server)
    }
  },
  async express(audience, port) {
    const guarded = expressGuard(audience, { issuer: issuer.url })
    const app = express()
    app.use(guarded)
    app.post('/mcp', (req, res) => res.send(req.auth.clientId))
    const server = app.listen(port, '127.0.0.1')
    return async () => {
      await guarded.guard.close()
      await close(server)
    }
  },
  async fastify(audience, port) {
    const app = fastify()
    await app.register(fastifyGuard(audience, { issuer: issuer.url }))
    app.post('/mcp', (request) => request.auth.clientId)
    await app.listen({ port, host: '127.0.0.1' })
    return () => app.close()
  },
  async hono(audience, port) {
    const guarded = honoGuard(audience, { issuer: issuer.url })
    const app = new Hono()
    app.use(guarded)
    app.post('/mcp', (c) => c.text(c.get('auth').clientId))
    const server = serve({ fetch: app.fetch, port, hostname: '127.0.0.1' })
    return async () => {
      await guarded.guard.close()
      await close(server)
    }
  },
  async mcp(audience, port) {
    const handler = (_request, { authInfo }) => new Response(authInfo.clientId)
    const guarded = mcpGuard(handler, audience, { issuer: issuer.url })
    const server = serve({ fetch: (request) => guarded.fetch(request), port, hostname: '127.0.0.1' })
    return async () => {
      await guarded.close()
      await close(server)
    }
  },
}

for (const [name, start] of Object.entries(hosts)) {
  const port = await freePort()
  const resource = `http://127.0.0.1:${port}/mcp`
  const stop = await start(resource, port)
  const agent = await Agent.start({ resource })
  const answer = await agent.fetch(resource, { method: 'POST' })
  assert.equal(answer.status, 200, name)
  assert.equal(await answer.text(), agent.clientId, name)
  const { accessToken } = await agent.token()
  const stolen = { authorization: `Bearer ${accessToken}` }
  assert.equal((await fetch(resource, { method: 'POST', headers: stolen })).status, 401, name)
  agent.close()
  await stop()
}
await issuer.close()
console.log('all hosts let the agent in and the thief not')
