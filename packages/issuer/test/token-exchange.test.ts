import { decodeJwt } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { RESOURCE } from './support/browser.ts'
import {
  ACCESS_TOKEN,
  type Agent,
  EXCHANGE,
  type Fields,
  IssuerUnderTest,
  Key,
  OTHER_RESOURCE,
} from './support/issuer-under-test.ts'

const test = new IssuerUnderTest()
let alpha: Agent
let beta: Agent
let gamma: Agent
let subject: string

beforeAll(async () => {
  await test.start()
  alpha = await test.issuer.registerAgent({ scopes: ['read', 'write'] })
  beta = await test.issuer.registerAgent()
  gamma = await test.issuer.registerAgent()
  await allow(beta, alpha)
  await allow(gamma, alpha, { max_hops: 2 })
})
afterAll(() => test.issuer.close())
beforeEach(async () => {
  subject = await test.accessToken(alpha)
})

const allow = async (from: Agent, to: Agent, more = {}) =>
  (await test.admin('POST', '/admin/may-act', { from_id: from.clientId, to_id: to.clientId, ...more })).body

const exchange = (agent: Agent, fields: Fields = {}, key?: Key) =>
  test.token(
    agent,
    { grant_type: EXCHANGE, subject_token: subject, subject_token_type: ACCESS_TOKEN, ...fields },
    key,
  )

describe('token exchange', () => {
  it('gives a token of the subject’s, with whom it acts through [8693-2.2.1]', async () => {
    const { status, body } = await exchange(beta, { scope: 'read', audience: OTHER_RESOURCE })
    expect(status).toBe(200)
    expect(body).toMatchObject({
      issued_token_type: ACCESS_TOKEN,
      token_type: 'Bearer',
      scope: 'read',
      expires_in: 300,
    })
    expect(decodeJwt(body.access_token)).toMatchObject({
      sub: alpha.clientId,
      client_id: beta.clientId,
      aud: OTHER_RESOURCE,
      scope: 'read',
      act: { sub: beta.clientId },
      gid: decodeJwt(subject).gid,
    })
    expect((await test.introspect(body.access_token)).body.act).toEqual({ sub: beta.clientId })
  })

  it('without scope and resource keeps those of the subject token', async () => {
    const { body } = await exchange(beta)
    expect(decodeJwt(body.access_token)).toMatchObject({ scope: 'read write', aud: RESOURCE })
  })

  it('puts the newest actor outermost, each with its key [8693-4.1-issuer]', async () => {
    const [first, second] = [await Key.generate(), await Key.generate()]
    const one = (await exchange(beta, {}, first)).body.access_token
    const fields = { subject_token: one }
    // The token of the first hop is bound: whoever goes on with it has to prove that key.
    expect((await exchange(gamma, fields, second)).body.error).toBe('invalid_request')
    const two = (await exchange(gamma, fields, first)).body.access_token
    expect(decodeJwt(two)).toMatchObject({
      sub: alpha.clientId,
      act: { sub: gamma.clientId, jkt: first.jkt, act: { sub: beta.clientId, jkt: first.jkt } },
      cnf: { jkt: first.jkt },
    })
  })

  it.each<[string, Fields, number, string]>([
    ['no subject token', { subject_token: undefined }, 400, 'invalid_request'],
    ['no subject token type', { subject_token_type: undefined }, 400, 'invalid_request'],
    [
      'an ID token type',
      { subject_token_type: 'urn:ietf:params:oauth:token-type:id_token' },
      400,
      'invalid_request',
    ],
    ['another requested type', { requested_token_type: 'urn:x' }, 400, 'invalid_request'],
    ['garbage for a subject token', { subject_token: 'a.b.c' }, 400, 'invalid_request'],
    ['an actor token type alone', { actor_token_type: ACCESS_TOKEN }, 400, 'invalid_request'],
    ['an actor token of no type', { actor_token: 'a.b.c' }, 400, 'invalid_request'],
    [
      'garbage for an actor token',
      { actor_token: 'a.b.c', actor_token_type: ACCESS_TOKEN },
      400,
      'invalid_request',
    ],
    ['more scope', { scope: 'read admin' }, 400, 'invalid_scope'],
    ['a wildcard', { scope: '*' }, 400, 'invalid_scope'],
    ['a relative resource', { resource: 'mcp' }, 400, 'invalid_target'],
  ])('with %s is refused [8693-2.1] [8693-2.2.2] [8693-5-scope]', async (_what, change, status, error) => {
    expect((await exchange(beta)).status).toBe(200)
    const answer = await exchange(beta, change)
    expect([answer.status, answer.body.error]).toEqual([status, error])
  })

  it('of a token of another issuer, of another type, or that has expired, is refused [8693-2.1-valid]', async () => {
    const stranger = await new IssuerUnderTest().start()
    const forged = [
      await stranger.issuer.mintToken({ clientId: alpha.clientId, resource: RESOURCE }),
      await test.issuer.mintToken({ clientId: alpha.clientId, resource: RESOURCE, header: { typ: 'JWT' } }),
      await test.issuer.mintToken({ clientId: alpha.clientId, resource: RESOURCE, expiresIn: -1 }),
      `${subject.slice(0, -4)}AAAA`,
    ]
    for (const token of forged) {
      expect((await exchange(beta, { subject_token: token })).body.error).toBe('invalid_request')
    }
    await stranger.issuer.close()
  })

  it('ends with the subject token, and no later', async () => {
    test.now += 200
    const { body } = await exchange(beta)
    expect(body.expires_in).toBe(100)
    expect(decodeJwt(body.access_token).exp).toBe(decodeJwt(subject).exp)
    test.now += 100
    expect((await exchange(beta)).body.error).toBe('invalid_request')
  })

  it('is not for public clients', async () => {
    const client = await test.publicClient()
    expect((await exchange({ ...client, clientSecret: undefined! })).body.error).toBe('unauthorized_client')
  })
})

describe('who may act for whom', () => {
  it('is for may-act grants to say, by either id, until they are deleted or expire', async () => {
    const agent = await test.issuer.registerAgent()
    const denied = async () => {
      const { status, body } = await exchange(agent)
      return status === 403 && body.error === 'access_denied'
    }
    expect(await denied()).toBe(true)
    const byAgentId = { from_id: agent.agentId, to_id: alpha.agentId }
    const { id } = (await test.admin('POST', '/admin/may-act', byAgentId)).body
    expect(await denied()).toBe(false)
    expect((await test.admin('DELETE', `/admin/may-act/${id}`)).status).toBe(200)
    expect(await denied()).toBe(true)
    await allow(agent, alpha, { expires_at: test.now + 100 })
    expect(await denied()).toBe(false)
    test.now += 100
    subject = await test.accessToken(alpha)
    expect(await denied()).toBe(true)
  })

  it('or for a may_act claim of the subject token', async () => {
    const agent = await test.issuer.registerAgent()
    const claims = { may_act: { sub: agent.clientId } }
    const mint = { clientId: alpha.clientId, resource: RESOURCE, scope: 'read', claims }
    const fields = { subject_token: await test.issuer.mintToken(mint) }
    expect((await exchange(agent, fields)).body.scope).toBe('read')
    expect((await exchange(await test.issuer.registerAgent(), fields)).status).toBe(403)
  })

  it('is not mistaken where ids have spaces in them', async () => {
    const clients = [{ client_id: 'a', client_secret: 'secret of a' }]
    clients.push({ client_id: 'a b', client_secret: 'secret of a b' })
    const spaced = await new IssuerUnderTest().start({ clients })
    await spaced.admin('POST', '/admin/may-act', { from_id: 'a', to_id: 'b c' })
    const ask = async (clientId: string, of: string) => {
      const subject_token = await spaced.issuer.mintToken({ subject: of, resource: RESOURCE })
      const fields = { grant_type: EXCHANGE, subject_token, subject_token_type: ACCESS_TOKEN }
      return (await spaced.token({ clientId, clientSecret: `secret of ${clientId}` }, fields)).status
    }
    expect(await ask('a', 'b c')).toBe(200)
    expect(await ask('a b', 'c')).toBe(403)
    await spaced.issuer.close()
  })

  it('does not go the other way', async () => {
    subject = await test.accessToken(beta)
    expect((await exchange(alpha)).body.error).toBe('access_denied')
  })

  it('is bounded by hops', async () => {
    const once = (await exchange(gamma)).body.access_token
    const twice = (await exchange(gamma, { subject_token: once })).body.access_token
    expect((await exchange(gamma, { subject_token: twice })).body.error).toBe('access_denied')
    expect((await exchange(beta, { subject_token: once })).body.error).toBe('access_denied')
  })

  it('is bounded by scopes, also where none is asked for', async () => {
    const agent = await test.issuer.registerAgent()
    await allow(agent, alpha, { scopes: ['read'] })
    expect((await exchange(agent)).body.scope).toBe('read')
    expect((await exchange(agent, { scope: 'write' })).body.error).toBe('invalid_scope')
  })
})

describe('a bound subject token', () => {
  it('is exchanged with a proof of its key, or by the client it was issued to; what comes of it is bound', async () => {
    const [key, other] = [await Key.generate(), await Key.generate()]
    subject = await test.accessToken(alpha, {}, key)
    expect((await exchange(beta)).body.error).toBe('invalid_dpop_proof')
    expect((await exchange(beta, {}, other)).body.error).toBe('invalid_request')
    expect((await exchange(beta, {}, key)).body).toMatchObject({ token_type: 'DPoP', cnf: { jkt: key.jkt } })
    await allow(alpha, alpha)
    expect((await exchange(alpha)).body.error).toBe('invalid_dpop_proof')
    expect((await exchange(alpha, {}, other)).body.cnf).toEqual({ jkt: other.jkt })
  })
})

describe('an actor token', () => {
  it('says who acts, and must be the client’s own', async () => {
    const actor = { actor_token: await test.accessToken(beta), actor_token_type: ACCESS_TOKEN }
    expect(decodeJwt((await exchange(beta, actor)).body.access_token).act).toEqual({ sub: beta.clientId })
    const stolen = { ...actor, actor_token: await test.accessToken(gamma) }
    expect((await exchange(beta, stolen)).body.error).toBe('invalid_request')
  })

  it('cannot put somebody else into the chain, who would not end with the client', async () => {
    const mint = { clientId: beta.clientId, resource: RESOURCE }
    const actor = async (subject: string) => ({
      actor_token: await test.issuer.mintToken({ ...mint, subject }),
      actor_token_type: ACCESS_TOKEN,
    })
    expect((await exchange(beta, await actor(beta.clientId))).status).toBe(200)
    expect((await exchange(beta, await actor('usr_test'))).body.error).toBe('invalid_request')
  })
})

describe('revocation', () => {
  const L2 = (agent: Agent) => test.issuer.revokeAgent(agent.clientId)

  it.each<[string, () => Promise<unknown>]>([
    ['the subject token', () => test.issuer.revokeToken(subject)],
    ['its client', () => L2(alpha)],
    ['its user', () => test.issuer.revokeUser(alpha.clientId)],
    ['a pattern', () => test.issuer.revokePattern(alpha.clientId)],
  ])('of %s ends what was exchanged for it, and further exchange', async (_what, revoke) => {
    const child = (await exchange(gamma)).body.access_token
    const grandchild = (await exchange(gamma, { subject_token: child })).body.access_token
    expect(await test.isActive(grandchild)).toBe(true)
    await revoke()
    for (const token of [child, grandchild]) expect(await test.isActive(token)).toBe(false)
    for (const token of [subject, child]) {
      expect((await exchange(gamma, { subject_token: token })).body.error).toBe('invalid_request')
    }
    test.now += 2
  })

  it('of a child leaves the subject token alone', async () => {
    const child = (await exchange(beta)).body.access_token
    await test.issuer.revokeToken(child)
    expect(await test.isActive(child)).toBe(false)
    expect(await test.isActive(subject)).toBe(true)
  })
})
