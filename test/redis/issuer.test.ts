import { type ChildProcess, fork } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Agent } from '@sharkguard/agent'
import { type RunningIssuer, startIssuer } from '@sharkguard/issuer'
import { type RedisIssuerStore, redisIssuerStore } from '@sharkguard/redis'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { startExpress } from '../support/mcp-server.ts'
import { hasRedisServer, type RedisServer, startRedis } from '../support/redis-server.ts'

// Seconds on a machine that has nothing else to do.
vi.setConfig({ testTimeout: 120_000 })

const INSTANCE = fileURLToPath(new URL('./issuer-instance.mjs', import.meta.url))
const ADMIN_KEY = 'sk_live_shared_by_all'
const RESOURCE = 'https://notes.example/mcp'
const REDIRECT_URI = 'https://client.example/callback'
const VERIFIER = 'v'.repeat(43)
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url')

describe.skipIf(!hasRedisServer())('issuers that share a Redis are one:', () => {
  let server: RedisServer
  let near: RunningIssuer
  let store: RedisIssuerStore
  const cleanup: (() => unknown)[] = []

  beforeEach(async () => {
    server = await startRedis()
    const client = createClient({ url: server.url })
    client.on('error', () => {})
    await client.connect()
    store = redisIssuerStore(client)
    await store.ready()
    near = await startIssuer({ store, adminKey: ADMIN_KEY, autoApprove: true })
    cleanup.push(
      () => server.stop(),
      () => client.destroy(),
      () => store.close(),
      () => near.close(),
    )
  })
  afterEach(async () => {
    for (const close of cleanup.splice(0).reverse()) await close()
  })

  /** Another instance; answers where it listens. To the world both are where the first one is. */
  async function startFar(): Promise<string> {
    const client = new Redis(server.url)
    const own = redisIssuerStore(client)
    const far = await startIssuer({ store: own, adminKey: ADMIN_KEY, issuer: near.url, autoApprove: true })
    cleanup.push(
      () => client.disconnect(),
      () => own.close(),
      () => far.close(),
    )
    return `http://127.0.0.1:${far.port}`
  }

  /** The same as a process of its own, which can be killed. */
  async function forkFar(): Promise<{ far: string; child: ChildProcess }> {
    const child = fork(INSTANCE, [server.url, near.url, ADMIN_KEY])
    cleanup.push(() => child.kill('SIGKILL'))
    const [{ port }] = (await once(child, 'message')) as [{ port: number }]
    return { far: `http://127.0.0.1:${port}`, child }
  }

  it('registered at one, a token from the other, revoked at the one, refused by a guard of the other', async () => {
    const far = await startFar()
    const host = await startExpress({ issuer: near.url })
    cleanup.push(() => host.close())
    const registered = await fetch(`${far}/oauth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ client_name: 'agent', grant_types: ['client_credentials'], scope: 'mcp:read' }),
    })
    const { client_id: clientId, client_secret: clientSecret } = (await registered.json()) as {
      client_id: string
      client_secret: string
    }
    const agent = await Agent.start({ resource: host.resource, credentials: { clientId, clientSecret } })
    const initialize = {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'initialize',
        params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } },
      }),
    }
    const call = async () => (await agent.fetch(host.resource, initialize).catch(() => undefined))?.status
    expect(await call()).toBe(200)
    const { status } = await fetch(`${far}/api/v1/agents/${clientId}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${ADMIN_KEY}` },
    })
    expect(status).toBe(204)
    await vi.waitFor(async () => expect(await call()).not.toBe(200), { timeout: 60_000, interval: 50 })
    expect(await call()).not.toBe(200)
  })

  it('who waits at one for revocations learns at once what the other was told', async () => {
    const far = await startFar()
    const wait = (base: string, since: number) => fetch(`${base}/oauth/revocations?since=${since}&wait=25`)
    for (let seq = 0; seq < 10; seq++) {
      const answers = [wait(near.url, seq), wait(far, seq)]
      await store.appendRules([{ k: 'jti', v: `${seq}`, x: Math.floor(Date.now() / 1000) + 1000 }])
      const claims = (await Promise.all(answers.map(async (answer) => (await answer).text()))).map(
        (jwt) =>
          JSON.parse(Buffer.from(jwt.split('.')[1] as string, 'base64url').toString()) as { seq: number },
      )
      expect(claims.map((claim) => claim.seq)).toEqual([seq + 1, seq + 1])
    }
  }, 60_000)

  it('nor is that lost while the connection that waits is', async () => {
    const never = new AbortController().signal
    const waiting = store.waitForRules(0, 25, never)
    await vi.waitFor(() => expect(server.command('INFO', 'clients')).toContain('blocked_clients:1'), {
      timeout: 60_000,
    })
    server.command('CLIENT', 'KILL', 'TYPE', 'normal')
    const client = new Redis(server.url)
    const other = redisIssuerStore(client)
    expect(await other.appendRules([{ k: 'jti', v: 'a', x: 9e9 }])).toBe(1)
    await waiting
    other.close()
    client.disconnect()
  }, 60_000)

  describe('with codes and refresh tokens', () => {
    let client: { clientId: string; clientSecret: string }
    beforeEach(async () => {
      client = await near.registerAgent({
        grantTypes: ['authorization_code', 'refresh_token'],
        authMethod: 'client_secret_post',
        redirectUris: [REDIRECT_URI],
        scopes: ['mcp:read'],
      })
    })

    /** `undefined` where the instance is not there. */
    async function authorize(base: string): Promise<string | undefined> {
      const query = new URLSearchParams({
        response_type: 'code',
        client_id: client.clientId,
        redirect_uri: REDIRECT_URI,
        code_challenge: CHALLENGE,
        code_challenge_method: 'S256',
        scope: 'mcp:read',
        resource: RESOURCE,
      })
      const answer = await fetch(`${base}/oauth/authorize?${query}`, { redirect: 'manual' }).catch(
        () => undefined,
      )
      const location = answer?.headers.get('location')
      return location ? (new URL(location).searchParams.get('code') ?? undefined) : undefined
    }

    interface TokenAnswer {
      /** `undefined` where none came. */
      readonly status: number | undefined
      readonly body: { readonly refresh_token?: string; readonly error?: string }
    }

    async function request(base: string, parameters: Record<string, string>): Promise<TokenAnswer> {
      const { clientId, clientSecret } = client
      const body = new URLSearchParams({ client_id: clientId, client_secret: clientSecret, ...parameters })
      const answer = await fetch(`${base}/oauth/token`, { method: 'POST', body }).catch(() => undefined)
      const text = await answer?.text().catch(() => undefined)
      if (answer === undefined || text === undefined) return { status: undefined, body: {} }
      return { status: answer.status, body: JSON.parse(text) }
    }
    const redeem = (base: string, code: string) =>
      request(base, {
        grant_type: 'authorization_code',
        code,
        code_verifier: VERIFIER,
        redirect_uri: REDIRECT_URI,
      })
    const refresh = (base: string, token: string) =>
      request(base, { grant_type: 'refresh_token', refresh_token: token, resource: RESOURCE })

    it('of 50 redemptions of one code at both at once, one is a success', async () => {
      const far = await startFar()
      const code = (await authorize(near.url))!
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, i) => redeem(i % 2 ? near.url : far, code)),
      )
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
      for (const { status, body } of answers) {
        if (status !== 200) expect([status, body.error]).toEqual([400, 'invalid_grant'])
      }
    })

    it('one that is killed during load takes no grant with it, and leaves no code that works twice', async () => {
      const { far, child } = await forkFar()
      const redeemed = new Map<string, number>()
      const unanswered = new Set<string>()
      const fresh: string[] = []
      const refreshTokens: string[] = []
      let killed = false

      async function take(base: string, code: string): Promise<void> {
        const { status, body } = await redeem(base, code)
        if (status === undefined) unanswered.add(code)
        if (status !== 200) return
        redeemed.set(code, (redeemed.get(code) ?? 0) + 1)
        refreshTokens.push(body.refresh_token!)
      }
      async function load(base: string): Promise<void> {
        for (let i = 0; !killed || i < 20; i++) {
          const code = await authorize(base)
          if (code === undefined) return
          // One in three codes is kept for later; the others are redeemed, at either instance, and once more.
          if (i % 3 === 0) fresh.push(code)
          else await take(i % 2 ? far : near.url, code)
        }
      }
      const loads = [far, near.url, far, near.url].map(load)
      await vi.waitFor(() => expect(redeemed.size).toBeGreaterThan(60), { timeout: 60_000, interval: 5 })
      child.kill('SIGKILL')
      await once(child, 'exit')
      killed = true
      await Promise.all(loads)

      for (const token of refreshTokens) expect((await refresh(near.url, token)).status).toBe(200)
      for (const code of fresh) await take(near.url, code)
      for (const code of fresh) expect(redeemed.get(code)).toBe(1)
      for (const code of unanswered) await take(near.url, code)
      for (const code of redeemed.keys()) await take(near.url, code)
      expect([...redeemed.values()].filter((times) => times > 1)).toEqual([])
    })

    it('while the server is away the issuer answers 503, and goes on when it is back', async () => {
      await server.kill()
      expect(await redeem(near.url, randomUUID())).toMatchObject({ status: 503 })
      await server.start()
      await vi.waitFor(async () => expect((await redeem(near.url, randomUUID())).status).not.toBe(503), {
        timeout: 60_000,
      })
    })
  })
})
