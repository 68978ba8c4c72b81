import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type IssuerStore, memoryStore } from '../src/index.ts'
import { type Agent, IssuerUnderTest, type Json, Key, sha256 } from './support/issuer-under-test.ts'

const test = new IssuerUnderTest()
beforeAll(() => test.start())
afterAll(() => test.issuer.close())

const get = async (path: string) => (await test.admin('GET', path)).body

describe('the admin API', () => {
  it.each([
    ['no key', undefined],
    ['another key', 'Bearer sk_live_x'],
    ['a part of the key', () => `Bearer ${test.issuer.adminKey.slice(0, -1)}`],
    ['the key by another scheme', () => `Basic ${test.issuer.adminKey}`],
  ])('is closed to %s', async (_what, authorization) => {
    const header = typeof authorization === 'function' ? authorization() : authorization
    for (const path of ['/agents', '/audit-logs', '/admin/may-act', '/nothing']) {
      const answer = await test.request(`/api/v1${path}`, {
        headers: header === undefined ? {} : { authorization: header },
      })
      expect([answer.status, answer.body.error]).toEqual([401, 'unauthorized'])
      expect(answer.body.message).toEqual(expect.any(String))
    }
  })

  it('answers what is no JSON object with 400', async () => {
    const headers = { authorization: `Bearer ${test.issuer.adminKey}`, 'content-type': 'application/json' }
    for (const body of ['', '[]', '"x"', '{', 'null', '1e999']) {
      for (const path of ['/agents', '/admin/may-act', '/admin/vault/connections']) {
        const answer = await test.request(`/api/v1${path}`, { method: 'POST', headers, body })
        expect([body, path, answer.status]).toEqual([body, path, 400])
      }
    }
  })
})

describe('may-act grants', () => {
  it('are made, listed page by page, and deleted, and each leaves an event', async () => {
    const ids: string[] = []
    for (let n = 0; n < 3; n++) {
      const { status, body } = await test.admin('POST', '/admin/may-act', { from_id: `a${n}`, to_id: 'b' })
      expect(status).toBe(201)
      expect(body).toMatchObject({ from_id: `a${n}`, to_id: 'b', max_hops: 1, scopes: [], expires_at: null })
      ids.unshift(body.id)
    }
    const page = await get('/admin/may-act?limit=2&offset=1')
    expect([page.grants.map(({ id }: Json) => id), page.total]).toEqual([ids.slice(1), 3])
    expect((await test.admin('DELETE', `/admin/may-act/${ids[0]}`)).status).toBe(200)
    expect((await test.admin('DELETE', `/admin/may-act/${ids[0]}`)).status).toBe(404)
    expect((await get('/admin/may-act')).total).toBe(2)
    expect((await get(`/audit-logs?target=${ids[0]}`)).data.map(({ action }: Json) => action)).toEqual([
      'may_act.deleted',
      'may_act.created',
    ])
  })

  it.each<[string, Json]>([
    ['nobody to act', { to_id: 'b' }],
    ['nobody to act for', { from_id: 'a' }],
    ['no hops', { from_id: 'a', to_id: 'b', max_hops: 0 }],
    ['half a hop', { from_id: 'a', to_id: 'b', max_hops: 1.5 }],
    ['a million hops', { from_id: 'a', to_id: 'b', max_hops: 1e6 }],
    ['scopes that are none', { from_id: 'a', to_id: 'b', scopes: ['a b'] }],
    ['scopes in a text', { from_id: 'a', to_id: 'b', scopes: 'a' }],
    ['a time that is over', { from_id: 'a', to_id: 'b', expires_at: 1 }],
    ['a time that is none', { from_id: 'a', to_id: 'b', expires_at: 'soon' }],
  ])('with %s are refused', async (_what, body) => {
    const answer = await test.admin('POST', '/admin/may-act', body)
    expect([answer.status, answer.body.error]).toEqual([400, 'invalid_request'])
  })

  it('take the time as a date as well', async () => {
    const expires_at = new Date((test.now + 100) * 1000).toISOString()
    const { body } = await test.admin('POST', '/admin/may-act', { from_id: 'a', to_id: 'c', expires_at })
    expect(body.expires_at).toBe(test.now + 100)
  })
})

describe('users', () => {
  it('have agents that they created, and agents that they authorized', async () => {
    const made = (await test.admin('POST', '/agents', { name: 'made', created_by: 'usr_test' })).body
    const client = await test.publicClient()
    await test.login(client)
    const created = await get('/users/usr_test/agents')
    expect([created.data.map(({ id }: Json) => id), created.total, created.filter]).toEqual([
      [made.id],
      1,
      'created',
    ])
    const authorized = await get('/users/usr_test/agents?filter=authorized')
    expect(authorized.data.map(({ client_id }: Json) => client_id)).toEqual([client.clientId])
    expect([authorized.total, authorized.filter]).toEqual([1, 'authorized'])
    expect(await get('/users/usr_nobody/agents')).toEqual({ data: [], total: 0, filter: 'created' })
  })

  it('can lose all of them at once', async () => {
    const { body } = await test.admin('POST', '/users/usr_test/revoke-agents', { reason: 'left' })
    expect(body).toEqual({
      revoked_agent_ids: expect.any(Array),
      revoked_consent_count: 1,
      audit_event_id: expect.stringMatching(/^aud_/),
    })
    expect(body.revoked_agent_ids).toHaveLength(2)
    const [event] = (await get('/audit-logs?target=usr_test&action=user.cascade_revoked_agents')).data
    expect([event.id, event.reason]).toEqual([body.audit_event_id, 'left'])
    const headers = { authorization: `Bearer ${test.issuer.adminKey}` }
    const bare = await test.request('/api/v1/users/usr_test/revoke-agents', { method: 'POST', headers })
    expect([bare.status, bare.body.revoked_agent_ids]).toEqual([200, expect.any(Array)])
    const bad = await test.admin('POST', '/users/usr_test/revoke-agents', { agent_ids: 'all' })
    expect(bad.status).toBe(400)
  })
})

describe('tokens', () => {
  it('are revoked by name', async () => {
    const agent = await test.issuer.registerAgent()
    const token = await test.accessToken(agent)
    const { jti } = (await test.introspect(token)).body
    expect(
      (await test.admin('POST', '/admin/auth/revoke-jti', { jti, expires_at: test.now + 300 })).status,
    ).toBe(200)
    expect(await test.isActive(token)).toBe(false)
    expect((await test.admin('POST', '/admin/auth/revoke-jti', { jti: 'of-elsewhere' })).status).toBe(200)
    for (const bad of [{}, { jti: '' }, { jti: 1 }]) {
      expect((await test.admin('POST', '/admin/auth/revoke-jti', bad)).status).toBe(400)
    }
  })

  it('are revoked by pattern', async () => {
    const agent = await test.issuer.registerAgent()
    await test.accessToken(agent)
    const body = { client_id_pattern: `${agent.clientId.slice(0, -3)}*`, reason: 'test' }
    expect((await test.admin('POST', '/admin/oauth/revoke-by-pattern', body)).body).toEqual({
      revoked_count: 1,
      audit_event_id: expect.any(String),
      pattern_matched: body.client_id_pattern,
    })
    for (const pattern of [undefined, '', 'x'.repeat(129), 1]) {
      const bad = await test.admin('POST', '/admin/oauth/revoke-by-pattern', { client_id_pattern: pattern })
      expect(bad.status).toBe(400)
    }
  })
})

/** What the vault answers to a token, with a proof of its key. */
async function open(by: IssuerUnderTest, provider: string, token: string, key: Key) {
  const path = `/api/v1/vault/${provider}/token`
  const dpop = await key.proof(`${by.url}${path}`, by.now, { claims: { htm: 'GET', ath: sha256(token) } })
  return by.request(path, { headers: { authorization: `DPoP ${token}`, dpop } })
}

describe('the vault', () => {
  const read = async (agent: Agent, provider: string, scope = 'vault:read') => {
    const key = await Key.generate()
    const token = await test.accessToken(agent, { scope, resource: 'https://vault.example' }, key)
    return { ...(await open(test, provider, token, key)), token }
  }

  it('gives secrets to agents, and takes their tokens when it is disconnected', async () => {
    const connection = { provider: 'github', user_id: 'usr_1', secret: 'gho_x' }
    const { status, body } = await test.admin('POST', '/admin/vault/connections', connection)
    expect(status).toBe(201)
    expect(body).not.toHaveProperty('secret')
    const [user, bystander] = [await test.issuer.registerAgent(), await test.issuer.registerAgent()]
    const stranger = await test.request('/api/v1/vault/github/token')
    expect([stranger.status, stranger.headers.get('www-authenticate')]).toEqual([401, 'DPoP'])
    const used = await read(user, 'github')
    expect(used.body).toMatchObject({ connection_id: body.id, secret: 'gho_x' })
    expect((await read(bystander, 'github', 'other')).status).toBe(403)
    expect((await read(bystander, 'gitlab')).status).toBe(404)
    const listed = await get('/admin/vault/connections')
    expect(listed).toMatchObject({ data: [{ id: body.id, used_by: [user.clientId] }], total: 1 })
    const spared = await test.accessToken(bystander)
    const gone = await test.admin('DELETE', `/admin/vault/connections/${body.id}`)
    expect(gone.body.revoked_agent_ids).toEqual([user.agentId])
    expect([await test.isActive(used.token), await test.isActive(spared)]).toEqual([false, true])
    expect((await test.admin('DELETE', `/admin/vault/connections/${body.id}`)).status).toBe(404)
    expect((await read(user, 'github')).status).toBe(404)
  })
})

describe('the vault of several users', () => {
  const connect = async (user_id: string) => {
    const connection = { provider: 'calendar', user_id, secret: `of ${user_id}` }
    return (await test.admin('POST', '/admin/vault/connections', connection)).body.id
  }
  async function secretFor(agent: Agent, subject: string) {
    const key = await Key.generate()
    const token = await test.issuer.mintToken({
      clientId: agent.clientId,
      subject,
      scope: 'vault:read',
      resource: 'https://vault.example',
      jkt: key.jkt,
    })
    return (await open(test, 'calendar', token, key)).body.secret
  }

  it('gives what is of the user in whose name the agent acts, and of nobody else; to itself its creator’s first', async () => {
    const [id] = [await connect('usr_alice'), await connect('usr_bob')]
    const agent = await test.issuer.registerAgent()
    const created = await test.issuer.registerAgent({ createdBy: 'usr_alice' })
    expect(await secretFor(agent, 'usr_bob')).toBe('of usr_bob')
    expect(await secretFor(agent, 'usr_alice')).toBe('of usr_alice')
    expect(await secretFor(created, created.clientId)).toBe('of usr_alice')
    await test.admin('DELETE', `/admin/vault/connections/${id}`)
    expect(await secretFor(agent, 'usr_alice')).toBeUndefined()
    expect(await secretFor(created, created.clientId)).toBe('of usr_bob')
  })

  it('gives nothing to who comes while it is disconnected: that agent would keep its tokens', async () => {
    const racing = new IssuerUnderTest()
    const store = memoryStore({ clock: () => racing.now })
    let isTaken = false
    const update: IssuerStore['update'] = async (kind, id, ...change) => {
      if (kind === 'vault' && isTaken) await store.take(kind, id)
      return store.update(kind, id, ...change)
    }
    await racing.start({ store: { ...store, update } })
    const connection = { provider: 'calendar', user_id: 'usr_alice', secret: 'x' }
    await racing.admin('POST', '/admin/vault/connections', connection)
    const agent = await racing.issuer.registerAgent()
    const key = await Key.generate()
    const token = await racing.accessToken(agent, { scope: 'vault:read' }, key)
    const read = () => open(racing, 'calendar', token, key)
    expect((await read()).body.secret).toBe('x')
    isTaken = true
    const { status, body } = await read()
    expect([status, body.secret]).toEqual([404, undefined])
    await racing.issuer.close()
  })
})

describe('the audit log', () => {
  it('is read by action, by target, by both, page by page, newest first', async () => {
    const agent = (await test.admin('POST', '/agents', { name: 'audited' })).body
    for (let n = 0; n < 3; n++) {
      test.now += 1
      await test.admin('POST', `/agents/${agent.id}/rotate-secret`)
    }
    const all = await get(`/audit-logs?target=${agent.id}`)
    expect(all.total).toBe(4)
    expect(all.data.map(({ at }: Json) => at)).toEqual([test.now, test.now - 1, test.now - 2, test.now - 3])
    const rotated = await get(`/audit-logs?target=${agent.id}&action=agent.secret_rotated&limit=1&offset=1`)
    expect([rotated.data.length, rotated.total, rotated.data[0].at]).toEqual([1, 3, test.now - 1])
    expect((await get('/audit-logs?action=agent.secret_rotated')).total).toBeGreaterThanOrEqual(3)
    expect(await get('/audit-logs?action=nothing')).toEqual({ data: [], total: 0 })
    expect(JSON.stringify(all)).not.toContain(agent.client_secret)
  })

  it('is kept for 90 days', async () => {
    const before = (await get('/audit-logs')).total
    expect(before).toBeGreaterThan(0)
    test.now += 90 * 86_400
    expect((await get('/audit-logs')).total).toBe(0)
  })
})
