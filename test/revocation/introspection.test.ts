import { DPoPProver } from '@sharkguard/agent'
import { introspection } from '@sharkguard/core'
import { startIssuer } from '@sharkguard/issuer'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Caller } from './caller.ts'
import { type GuardedServer, startGuarded } from './server.ts'
import { SharkAuthServer } from './sharkauth-server.ts'

const closing: { close(): Promise<unknown> }[] = []

afterEach(async () => {
  for (const one of closing.splice(0).reverse()) await one.close()
})

const credentials = { clientId: 'shark_agent_rs', clientSecret: 'secret' }

describe('A stock SharkAuth server', () => {
  let shark: SharkAuthServer
  let guarded: GuardedServer
  let prover: DPoPProver

  beforeEach(async () => {
    shark = await SharkAuthServer.start()
    prover = await DPoPProver.generate()
    closing.push(shark)
  })

  async function guard(options = {}): Promise<void> {
    const revocation = introspection({ ...credentials, deadline: 2, ...options })
    const issuer = { issuer: shark.url, profile: 'sharkauth' as const }
    guarded = await startGuarded({ issuer, revocation })
    closing.push(guarded)
  }

  const mint = (clientId = 'shark_agent_1') =>
    shark.mint({ clientId, resource: guarded.resource, jkt: prover.jkt })

  async function call(token: string) {
    const { resource: url } = guarded
    const dpop = await prover.createProof({ method: 'POST', url, accessToken: token })
    return fetch(url, { method: 'POST', headers: { authorization: `DPoP ${token}`, dpop } })
  }

  it('is asked about each token, whose binding is in the token alone; what it revokes ends within seconds', async () => {
    await guard({ cacheFor: 0.1 })
    const [one, other] = [mint(), mint('shark_agent_2')]
    expect([(await call(one)).status, (await call(other)).status]).toEqual([200, 200])
    shark.revoke(({ clientId }) => clientId === 'shark_agent_1')
    await vi.waitFor(async () => {
      const refused = await call(one)
      expect(refused.status).toBe(401)
      expect(refused.headers.get('www-authenticate')).toContain('error="invalid_token"')
    })
    expect((await call(other)).status).toBe(200)
  })

  it('is asked once for many requests with a token', async () => {
    await guard()
    const token = mint()
    const answers = await Promise.all(Array.from({ length: 20 }, () => call(token)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    expect(shark.asked).toEqual([token])
  })

  it('is not asked about tokens that are refused anyway', async () => {
    await guard()
    const foreign = shark.mint({ clientId: 'a', resource: 'https://other.example', jkt: prover.jkt })
    const stolen = shark.mint({ clientId: 'a', resource: guarded.resource, jkt: 'A'.repeat(43) })
    for (const token of [foreign, stolen, `${mint().slice(0, -4)}AAAA`]) {
      expect((await call(token)).status).toBe(401)
    }
    expect(shark.asked).toEqual([])
  })

  it.each<[string, SharkAuthServer['introspection']]>([
    ['a page', () => ({ status: 200, body: '<!doctype html><title>SharkAuth</title>' })],
    ['active as text', () => ({ status: 200, body: '{"active":"true"}' })],
    ['a refusal of the credentials', () => ({ status: 401, body: '{"error":"invalid_client"}' })],
    ['its rate limit', () => ({ status: 429, body: '{"error":"rate_limited"}' })],
    ['an error', () => ({ status: 500, body: '{"error":"server_error"}' })],
    ['nothing, for longer than the deadline', () => 'hang'],
  ])('answers %s: nobody knows, 503, and 200 when it is itself again', async (_, answer) => {
    await guard({ deadline: 0.5 })
    const token = mint()
    shark.introspection = answer
    const refused = await call(token)
    expect(refused.status).toBe(503)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
    expect(refused.headers.get('www-authenticate')).toBeNull()
    shark.introspection = undefined
    await vi.waitFor(async () => expect((await call(token)).status).toBe(200), { timeout: 10_000 })
  })

  it('is left alone while it fails', async () => {
    await guard()
    shark.introspection = () => ({ status: 500, body: '{}' })
    for (let i = 0; i < 20; i++) expect((await call(mint())).status).toBe(503)
    expect(shark.asked.length).toBeLessThan(12)
  })
})

describe('Our issuer, by introspection', () => {
  it('tells a resource server of every revocation', async () => {
    const issuer = await startIssuer()
    closing.push(issuer)
    const { clientId, clientSecret } = await issuer.registerAgent({ name: 'the resource server' })
    const revocation = introspection({ clientId, clientSecret, cacheFor: 0, deadline: 5 })
    const guarded = await startGuarded({ issuer: issuer.url, revocation })
    closing.push(guarded)
    await guarded.guard.ready()
    const [caller, other] = [
      await Caller.create(issuer, guarded.resource),
      await Caller.create(issuer, guarded.resource),
    ]
    expect([(await caller.call()).status, (await other.call()).status]).toEqual([200, 200])
    await issuer.revokeAgent(caller.clientId)
    expect([(await caller.call()).status, (await other.call()).status]).toEqual([401, 200])
    await issuer.revokeToken(other.token)
    expect((await other.call()).status).toBe(401)
  })
})
