import { Agent, type DPoPProver } from '@sharkguard/agent'
import {
  type AuthInfo,
  createGuard,
  type GuardOptions,
  type Reason,
  type ReplayStore,
} from '@sharkguard/core'
import { sharkGuard as expressGuard } from '@sharkguard/express'
import { sharkGuard as fastifyGuard } from '@sharkguard/fastify'
import { sharkGuard as honoGuard } from '@sharkguard/hono'
import { createIssuer, type RunningIssuer, startIssuer } from '@sharkguard/issuer'
import { sharkGuard as mcpGuard } from '@sharkguard/mcp'
import { type RedisClient, redisReplayStore } from '@sharkguard/redis'
import express, { type Express } from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'

/** What a reader of the READMEs writes, for the compiler alone: each line is a promise of our types. */
const audience = 'https://mcp.example.com/mcp'
const same = <Expected>(_value: Expected): void => undefined

const store: ReplayStore = { claim: (_key: string, _expiresAt: number) => 'fresh' }
const options: GuardOptions = {
  issuer: { issuer: 'https://as.example.com', algorithms: ['ES256'] },
  scopes: ['mcp:read'],
  nonce: true,
  replayStore: store,
  onDecision: (decision) => {
    if (decision.outcome === 'refused') same<Reason>(decision.reason)
  },
}

export async function core(): Promise<AuthInfo | Reason | undefined> {
  const guard = createGuard(audience, options)
  const verdict = await guard.verify({ method: 'POST', url: '/mcp', headers: new Headers() })
  if (verdict.ok) return verdict.auth
  same<400 | 401 | 403 | 429 | 503>(verdict.status)
  // @ts-expect-error: an unknown option does not compile
  createGuard(audience, { audience })
  // @ts-expect-error: nothing turns the binding off
  createGuard(audience, { dpop: 'off' })
  return undefined
}

export function onExpress(): Express {
  const app = express()
  app.use(expressGuard(audience, options))
  app.post('/mcp', (req, res) => {
    same<AuthInfo | undefined>(req.auth)
    // @ts-expect-error: a handler that is not behind the guard has no identity
    same<string>(req.auth.clientId)
    res.json({ client: req.auth?.clientId, may: req.auth?.hasScope('mcp:write') })
  })
  return app
}

export async function onFastify() {
  const app = fastify()
  await app.register(fastifyGuard(audience, options))
  app.post('/mcp', async (request) => {
    same<string | undefined>(request.auth?.subject)
    return { client: request.auth?.clientId }
  })
  return app
}

export function onHono() {
  const app = new Hono()
  app.use(honoGuard(audience, options))
  return app.post('/mcp', (c) => {
    same<string>(c.get('auth').clientId)
    same<readonly string[]>(c.var.auth.scopes)
    return c.json({ client: c.get('auth').clientId })
  })
}

export function onMcp() {
  const handler = (_request: Request, given?: { authInfo?: { clientId: string } }) =>
    Response.json({ client: given?.authInfo?.clientId })
  const guarded = mcpGuard(handler, audience, { ...options, tools: { 'delete_*': ['files:write'] } })
  return { fetch: (request: Request) => guarded.fetch(request) }
}

export const onRedis = (client: RedisClient): GuardOptions => ({ replayStore: redisReplayStore(client) })

export async function other(): Promise<[RunningIssuer, DPoPProver]> {
  const issuer = await startIssuer({ port: 0 })
  same<(request: Request) => Promise<Response>>(createIssuer().fetch)
  const agent = await Agent.start({ resource: audience, issuer: issuer.url })
  same<string>((await agent.token()).accessToken)
  return [issuer, agent.prover]
}
