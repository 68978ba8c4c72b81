import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { AdminClient, OAuthError } from '../src/index.ts'
import { type Answer, listen, type TestServer } from './support/http.ts'

let server: TestServer
let admin: AdminClient
let answer: Answer
beforeAll(async () => {
  server = await listen(() => answer)
  admin = new AdminClient({ baseUrl: `${server.url}/`, adminKey: 'sk_live_1' })
})
beforeEach(() => {
  server.seen.length = 0
  answer = { json: { ok: true } }
})
afterAll(() => server.close())

const jwk = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' }

describe('AdminClient', () => {
  it.each<[string, () => Promise<unknown>, string, unknown?]>([
    [
      'agents.register',
      () => admin.agents.register({ name: 'a', scopes: ['x'] }),
      'POST /agents',
      { name: 'a', scopes: ['x'] },
    ],
    [
      'agents.list',
      () => admin.agents.list({ limit: 2, active: true, search: undefined }),
      'GET /agents?limit=2&active=true',
    ],
    ['agents.get', () => admin.agents.get('agent_1'), 'GET /agents/agent_1'],
    [
      'agents.update',
      () => admin.agents.update('a', { active: false }),
      'PATCH /agents/a',
      { active: false },
    ],
    ['agents.deactivate', () => admin.agents.deactivate('a'), 'DELETE /agents/a'],
    ['agents.listTokens', () => admin.agents.listTokens('a'), 'GET /agents/a/tokens'],
    ['agents.revokeAll', () => admin.agents.revokeAll('a/b'), 'POST /agents/a%2Fb/tokens/revoke-all'],
    [
      'agents.revokeAll with options',
      () => admin.agents.revokeAll('a', { reason: 'r', chain: false }),
      'POST /agents/a/tokens/revoke-all',
      { reason: 'r', chain: false },
    ],
    ['agents.audit', () => admin.agents.audit('a', { limit: 1 }), 'GET /agents/a/audit?limit=1'],
    ['agents.rotateSecret', () => admin.agents.rotateSecret('a'), 'POST /agents/a/rotate-secret'],
    [
      'agents.rotateDpopKey',
      () => admin.agents.rotateDpopKey('a', jwk, { reason: 'r' }),
      'POST /agents/a/rotate-dpop-key',
      { new_public_jwk: jwk, reason: 'r' },
    ],
    [
      'users.revokeAgents',
      () => admin.users.revokeAgents('u', { agentIds: ['a'], reason: 'r' }),
      'POST /users/u/revoke-agents',
      { agent_ids: ['a'], reason: 'r' },
    ],
    [
      'users.listAgents',
      () => admin.users.listAgents('u', { filter: 'created' }),
      'GET /users/u/agents?filter=created',
    ],
    [
      'revokeByPattern',
      () => admin.revokeByPattern({ pattern: 'shark_*', reason: 'r' }),
      'POST /admin/oauth/revoke-by-pattern',
      { client_id_pattern: 'shark_*', reason: 'r' },
    ],
    [
      'vault.connect',
      () => admin.vault.connect({ provider: 'github', userId: 'u', secret: 's' }),
      'POST /admin/vault/connections',
      { provider: 'github', user_id: 'u', secret: 's' },
    ],
    ['vault.disconnect', () => admin.vault.disconnect('v1'), 'DELETE /admin/vault/connections/v1'],
    ['mayAct.list', () => admin.mayAct.list(), 'GET /admin/may-act'],
    [
      'mayAct.create',
      () => admin.mayAct.create({ fromId: 'a', toId: 'b', maxHops: 2 }),
      'POST /admin/may-act',
      { from_id: 'a', to_id: 'b', max_hops: 2 },
    ],
    ['mayAct.revoke', () => admin.mayAct.revoke('mag_1'), 'DELETE /admin/may-act/mag_1'],
    [
      'auditLogs.list',
      () => admin.auditLogs.list({ action: 'x', limit: 1 }),
      'GET /audit-logs?action=x&limit=1',
    ],
    ['vault.list', () => admin.vault.list(), 'GET /admin/vault/connections'],
    ['keys.rotate', () => admin.keys.rotate(), 'POST /admin/auth/rotate-signing-key'],
    [
      'keys.rotate for a compromised key',
      () => admin.keys.rotate({ compromised: true }),
      'POST /admin/auth/rotate-signing-key',
      { compromised: true },
    ],
  ])('%s calls its path with the admin key', async (_, call, expected, body) => {
    expect(await call()).toEqual({ ok: true })
    const [{ method, url, headers, body: sent }] = server.seen as [(typeof server.seen)[0]]
    expect(`${method} ${url.pathname.replace('/api/v1', '')}${url.search}`).toBe(expected)
    expect(headers.get('authorization')).toBe('Bearer sk_live_1')
    expect(sent === '' ? undefined : JSON.parse(sent)).toEqual(body)
  })

  it('revokes a token as a form, beside the admin API, and resolves with nothing', async () => {
    answer = { text: '' }
    expect(await admin.revokeToken('a.b.c')).toBeUndefined()
    const [{ method, url, headers, body }] = server.seen as [(typeof server.seen)[0]]
    expect([method, url.pathname, body]).toEqual(['POST', '/oauth/revoke', 'token=a.b.c'])
    expect(headers.get('content-type')).toBe('application/x-www-form-urlencoded')
    expect(headers.get('authorization')).toBe('Bearer sk_live_1')
    answer = { status: 401, json: { error: 'invalid_client', error_description: 'not a.b.c' } }
    const failure = await admin.revokeToken('a.b.c').catch((error) => error)
    expect(failure).toMatchObject({ error: 'invalid_client', status: 401 })
    expect(String(failure)).not.toContain('a.b.c')
  })

  it('resolves with nothing for 204', async () => {
    answer = { status: 204 }
    expect(await admin.agents.deactivate('a')).toBeUndefined()
  })

  it.each([
    ['flat', { error: 'not_found', message: 'no such agent' }],
    ['nested', { error: { code: 'not_found', message: 'no such agent' } }],
  ])('reads %s errors', async (_, json) => {
    answer = { status: 404, json }
    const failure = await admin.agents.get('x').catch((error) => error)
    expect(failure).toBeInstanceOf(OAuthError)
    expect(failure).toMatchObject({ error: 'not_found', errorDescription: 'no such agent', status: 404 })
  })

  it('never repeats the admin key', async () => {
    answer = { status: 401, json: { error: 'unauthorized', message: 'bad key sk_live_1' } }
    await expect(admin.keys.rotate()).rejects.toThrow(/bad key \[secret\]; check the admin key/)
  })

  it('refuses ids that would call another path, and a page that is no API', async () => {
    for (const id of ['', '.', '..']) await expect(admin.agents.get(id)).rejects.toThrow(/id/)
    answer = { text: '<html>' }
    await expect(admin.agents.get('a')).rejects.toThrow(/without a JSON object/)
    expect(() => new AdminClient({ baseUrl: server.url, adminKey: '' })).toThrow(/adminKey/)
  })
})
