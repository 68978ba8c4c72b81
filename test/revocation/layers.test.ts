import { AdminClient, DPoPProver, OAuthClient } from '@sharkguard/agent'
import { type RunningIssuer, startIssuer } from '@sharkguard/issuer'
import { decodeJwt } from 'jose'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Caller } from './caller.ts'
import { type GuardedServer, startGuarded } from './server.ts'

let issuer: RunningIssuer
let guarded: GuardedServer
let admin: AdminClient
/** Stands still: everything happens within one second. */
const now = Math.floor(Date.now() / 1000) + 0.25
const clock = () => now

beforeEach(async () => {
  issuer = await startIssuer({ clock })
  guarded = await startGuarded({ issuer: issuer.url, clock, dpop: 'when-bound' })
  admin = new AdminClient({ baseUrl: issuer.url, adminKey: issuer.adminKey })
  await guarded.guard.ready()
})
afterEach(async () => {
  await guarded.close()
  await issuer.close()
})

const call = (options: Parameters<typeof Caller.create>[2] = {}) =>
  Caller.create(issuer, guarded.resource, { ...options, clock })

/** Another token for the same agent and key. */
async function renewed(caller: Caller): Promise<Caller> {
  const { clientId, boundTo, resource } = caller
  return caller.holding(await issuer.mintToken({ clientId, audience: resource, ...boundTo }))
}

async function statuses(...callers: Caller[]): Promise<number[]> {
  const answers = await Promise.all(callers.map((caller) => caller.call()))
  return answers.map(({ status }) => status)
}

async function events(action: string) {
  return (await admin.auditLogs.list({ action })).data
}

/** A bearer token for whoever acts for the subject: a bound one its owner alone could exchange. */
async function exchange(actor: Caller, subject: Caller): Promise<Caller> {
  const { sub: toId } = decodeJwt(subject.token) as { sub: string }
  await admin.mayAct.create({ fromId: actor.clientId, toId, maxHops: 5 })
  const { accessToken } = await new OAuthClient({ baseUrl: issuer.url, clock }).exchangeToken({
    subjectToken: subject.token,
    clientId: actor.clientId,
    clientSecret: actor.clientSecret,
    resource: actor.resource,
  })
  return actor.holding(accessToken)
}

describe('When the revoking call has been answered, the next request is refused', () => {
  it('L1: that token, and no other', async () => {
    const [caller, other] = [await call(), await call()]
    const sibling = await renewed(caller)
    expect(await statuses(caller, sibling, other)).toEqual([200, 200, 200])
    await admin.revokeToken(caller.token)
    expect(await statuses(caller, sibling, other)).toEqual([401, 200, 200])
    expect(await events('oauth.token_revoked')).toMatchObject([{ details: { client_id: caller.clientId } }])
  })

  it('L1: what was exchanged for the token goes with it', async () => {
    const [parent, bystander] = [await call({ bearer: true }), await call()]
    const child = await exchange(await call(), parent)
    const grandchild = await exchange(await call(), child)
    const sibling = await exchange(await call(), await renewed(parent))
    expect(await statuses(parent, child, grandchild, sibling, bystander)).toEqual([200, 200, 200, 200, 200])
    await admin.revokeToken(child.token)
    expect(await statuses(parent, child, grandchild, sibling)).toEqual([200, 401, 401, 200])
    await admin.revokeToken(parent.token)
    expect(await statuses(parent, child, grandchild, sibling, bystander)).toEqual([401, 401, 401, 200, 200])
  })

  it('L2: all tokens of the agent so far; one that is issued in the same second lives', async () => {
    const [caller, other] = [await call(), await call()]
    const sibling = await renewed(caller)
    expect(await statuses(caller, sibling, other)).toEqual([200, 200, 200])
    expect(await admin.agents.revokeAll(caller.agentId, { reason: 'a test' })).toMatchObject({ count: 2 })
    const later = await renewed(caller)
    expect(await statuses(caller, sibling, other, later)).toEqual([401, 401, 200, 200])
    expect(await admin.agents.revokeAll(caller.clientId)).toMatchObject({ count: 1 })
    expect(await statuses(caller, other, later, await renewed(caller))).toEqual([401, 200, 401, 200])
    expect((await admin.agents.audit(caller.agentId)).data).toMatchObject([
      { action: 'agent.tokens_revoked' },
      { action: 'agent.tokens_revoked', reason: 'a test', details: { count: 2 } },
    ])
  })

  it('L2: what others got by delegation from it ends with it, unless that is not wanted', async () => {
    for (const [chain, expected] of [
      [false, 200],
      [true, 401],
    ] as const) {
      const agent = await call({ bearer: true })
      const derived = await exchange(await call(), agent)
      expect(await statuses(agent, derived)).toEqual([200, 200])
      await admin.agents.revokeAll(agent.clientId, { chain })
      expect(await statuses(agent, derived)).toEqual([401, expected])
    }
  })

  it('L2: a deactivated agent, which gets no more', async () => {
    const [caller, other] = [await call(), await call()]
    expect(await statuses(caller, other)).toEqual([200, 200])
    await admin.agents.deactivate(caller.agentId)
    expect(await statuses(caller, other)).toEqual([401, 200])
    await expect(token(caller)).rejects.toThrow(/invalid_client/)
    expect(await events('agent.deactivated_with_revocation')).toMatchObject([{ target: caller.agentId }])
  })

  it('rotation: the old key’s tokens, whoever has them; it is never bound again, by any client', async () => {
    const [caller, other] = [await call(), await call()]
    await token(caller)
    expect(await statuses(caller, other)).toEqual([200, 200])
    const next = await DPoPProver.generate()
    const rotation = await admin.agents.rotateDpopKey(caller.agentId, next.publicJwk, { reason: 'stolen' })
    expect(rotation).toMatchObject({ old_jkt: caller.prover.jkt, new_jkt: next.jkt, revoked_token_count: 2 })
    expect(await statuses(caller, other)).toEqual([401, 200])
    for (const client of [caller, other]) {
      await expect(token(client, caller.prover)).rejects.toThrow(/invalid_grant/)
      await expect(admin.agents.rotateDpopKey(client.agentId, caller.prover.publicJwk)).rejects.toThrow(
        /invalid_jwk/,
      )
    }
    expect(await statuses(caller.holding(await token(caller, next), next))).toEqual([200])
    expect(await events('agent.dpop_key_rotated')).toMatchObject([
      { id: rotation.audit_event_id, reason: 'stolen', details: { old_jkt: caller.prover.jkt } },
    ])
  })

  it('L3: the agents that the user created, and every token in the user’s name', async () => {
    const created = await call({ createdBy: 'usr_1' })
    const acting = await call({ subject: 'usr_1' })
    const others = [await call({ createdBy: 'usr_2' }), await call({ subject: 'usr_2' }), await call()]
    expect(await statuses(created, acting, ...others)).toEqual([200, 200, 200, 200, 200])
    const cascade = await admin.users.revokeAgents('usr_1', { reason: 'left' })
    expect(cascade.revoked_agent_ids).toEqual([created.agentId])
    expect(await statuses(created, acting, ...others)).toEqual([401, 401, 200, 200, 200])
    await expect(token(created)).rejects.toThrow(/invalid_client/)
    const { clientId, boundTo, resource } = acting
    const later = await issuer.mintToken({ clientId, subject: 'usr_1', audience: resource, ...boundTo })
    expect(await statuses(acting, acting.holding(later))).toEqual([401, 200])
    expect(await events('user.cascade_revoked_agents')).toMatchObject([
      { id: cascade.audit_event_id, reason: 'left', details: { agent_ids: [created.agentId] } },
    ])
  })

  it('L3: some of the user’s agents only, and nobody else’s whatever is named', async () => {
    const [chosen, kept] = [await call({ createdBy: 'usr_1' }), await call({ createdBy: 'usr_1' })]
    const [acting, foreign] = [await call({ subject: 'usr_1' }), await call({ createdBy: 'usr_2' })]
    await statuses(chosen, kept, acting, foreign)
    const agentIds = [chosen.agentId, foreign.agentId, 'agent_unknown']
    const cascade = await admin.users.revokeAgents('usr_1', { agentIds })
    expect(cascade.revoked_agent_ids).toEqual([chosen.agentId])
    expect(await statuses(chosen, kept, acting, foreign)).toEqual([401, 200, 200, 200])
  })

  it('L4: agents whose client id matches the pattern', async () => {
    const [caller, other] = [await call(), await call()]
    expect(await statuses(caller, other)).toEqual([200, 200])
    const pattern = `${caller.clientId.slice(0, -1)}[${caller.clientId.slice(-1)}]`
    const done = await admin.revokeByPattern({ pattern, reason: 'bad build' })
    expect(done).toMatchObject({ revoked_count: 1, pattern_matched: pattern })
    const later = await renewed(caller)
    expect(await statuses(caller, other, later)).toEqual([401, 200, 200])
    expect(await admin.revokeByPattern({ pattern: 'shark_agent_*' })).toMatchObject({ revoked_count: 2 })
    expect(await statuses(other, later, await renewed(caller))).toEqual([401, 401, 200])
    expect(await events('oauth.bulk_revoke_pattern')).toHaveLength(2)
  })

  it('L5: every agent that ever used the vault connection', async () => {
    const [user, other] = [await call({ scope: 'vault:read' }), await call({ scope: 'vault:read' })]
    const { id } = await admin.vault.connect({ provider: 'mail', userId: 'usr_1', secret: 's' })
    const url = `${issuer.url}/api/v1/vault/mail/token`
    const proof = await user.prover.createProof({ method: 'GET', url, accessToken: user.token })
    const fetched = await fetch(url, { headers: { authorization: `DPoP ${user.token}`, dpop: proof } })
    expect(await fetched.json()).toMatchObject({ secret: 's' })
    const later = await renewed(user)
    expect(await statuses(user, other, later)).toEqual([200, 200, 200])
    const done = await admin.vault.disconnect(id)
    expect(done?.revoked_agent_ids).toHaveLength(1)
    expect(await statuses(user, other, later, await renewed(user))).toEqual([401, 200, 401, 200])
    expect(await events('vault.disconnect_cascade')).toMatchObject([{ id: done?.audit_event_id, target: id }])
    await expect(admin.vault.disconnect(id)).rejects.toMatchObject({ status: 404 })
  })

  it('a compromised signing key: everything it signed, before any key set has expired', async () => {
    const caller = await call()
    expect(await statuses(caller)).toEqual([200])
    await admin.keys.rotate({ compromised: true, reason: 'stolen' })
    expect(await statuses(caller, await renewed(caller))).toEqual([401, 200])
    expect(await events('signing_key.withdrawn')).toMatchObject([{ reason: 'stolen' }])
  })
})

describe('What was revoked is so at the issuer too', () => {
  it('for introspection, and as a subject token', async () => {
    const [caller, actor] = [await call({ bearer: true }), await call()]
    const oauth = new OAuthClient({ baseUrl: issuer.url, adminKey: issuer.adminKey })
    expect(await oauth.introspectToken(caller.token)).toMatchObject({ active: true })
    await admin.agents.revokeAll(caller.clientId)
    expect(await oauth.introspectToken(caller.token)).toEqual({ active: false })
    await expect(exchange(actor, caller)).rejects.toThrow(/subject_token/)
    expect(await exchange(actor, await renewed(caller))).toBeDefined()
  })
})

async function token({ clientId, clientSecret, resource, ...caller }: Caller, prover = caller.prover) {
  const { accessToken } = await new OAuthClient({ baseUrl: issuer.url, clock }).getTokenWithDpop({
    grantType: 'client_credentials',
    clientId,
    clientSecret,
    dpopProver: prover,
    resource,
  })
  return accessToken
}
