import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RESOURCE } from './support/browser.ts'
import { IssuerUnderTest, type Json, Key } from './support/issuer-under-test.ts'

const test = new IssuerUnderTest()
beforeAll(() => test.start())
afterAll(() => test.issuer.close())

const create = async (more: Json = {}) =>
  (await test.admin('POST', '/agents', { name: 'agent', ...more })).body
const asAgent = ({ client_id, client_secret, id }: Json) => ({
  clientId: client_id,
  clientSecret: client_secret,
  agentId: id,
})
const actions = async (id: string) => {
  const { data } = (await test.admin('GET', `/agents/${id}/audit`)).body
  return data.map(({ action }: Json) => action)
}

describe('agents', () => {
  it('are created with what SharkAuth’s SDK sends, and told their secret once', async () => {
    const answer = await test.admin('POST', '/agents', {
      name: 'Reader',
      description: 'reads',
      scopes: ['mcp:read'],
      created_by: 'usr_1',
    })
    expect(answer.status).toBe(201)
    expect(answer.body).toMatchObject({
      id: expect.stringMatching(/^agent_/),
      client_id: expect.stringMatching(/^shark_agent_/),
      client_secret: expect.stringMatching(/^[0-9a-f]{64}$/),
      name: 'Reader',
      description: 'reads',
      scopes: ['mcp:read'],
      active: true,
      created_by: 'usr_1',
    })
    for (const id of [answer.body.id, answer.body.client_id]) {
      const { client_secret: _, ...rest } = answer.body
      expect((await test.admin('GET', `/agents/${id}`)).body).toEqual(rest)
    }
    expect(await actions(answer.body.id)).toEqual(['agent.created'])
  })

  it('are listed newest first, page by page, found by name, state and who made them', async () => {
    const creator = `usr_${Math.random()}`
    const ids: string[] = []
    for (let n = 0; n < 7; n++) ids.unshift((await create({ name: `Paged ${n}`, created_by: creator })).id)
    await test.admin('DELETE', `/agents/${ids[0]}`)
    const list = async (query: string) => {
      const { data, total } = (await test.admin('GET', `/agents?created_by_user_id=${creator}&${query}`)).body
      return [data.map(({ id }: Json) => id), total]
    }
    expect(await list('')).toEqual([ids, 7])
    expect(await list('limit=3')).toEqual([ids.slice(0, 3), 7])
    expect(await list('limit=3&offset=6')).toEqual([ids.slice(6), 7])
    expect(await list('limit=0')).toEqual([[], 7])
    expect(await list('offset=99999')).toEqual([[], 7])
    expect(await list('limit=-1&offset=x')).toEqual([ids, 7])
    expect(await list('active=false')).toEqual([[ids[0]], 1])
    expect(await list('active=true&limit=2&offset=1')).toEqual([ids.slice(2, 4), 6])
    expect(await list('search=Paged+3')).toEqual([[ids[3]], 1])
  })

  it('are listed 200 at a time at most', async () => {
    for (let n = 0; n < 201; n++) await test.issuer.registerAgent()
    const { data, total } = (await test.admin('GET', '/agents?limit=100000')).body
    expect(data).toHaveLength(200)
    expect(total).toBeGreaterThan(200)
  })

  it('are changed within the rules they were made by', async () => {
    const agent = await create({ scopes: ['read'] })
    const changed = await test.admin('PATCH', `/agents/${agent.id}`, {
      name: 'New',
      scopes: ['read', 'write'],
    })
    expect(changed.body).toMatchObject({ name: 'New', client_name: 'New', scopes: ['read', 'write'] })
    const more = await test.admin('PATCH', `/agents/${agent.id}`, { description: 'x' })
    expect(more.body).toMatchObject({ name: 'New', scopes: ['read', 'write'], description: 'x' })
    for (const bad of [{ name: '' }, { scopes: 'x y' }, { grant_types: ['x'] }, { auth_method: 'none' }]) {
      const { status, body } = await test.admin('PATCH', `/agents/${agent.id}`, bad)
      expect([bad, status]).toEqual([bad, 400])
      expect(body).toEqual({ error: expect.any(String), message: expect.any(String) })
    }
    expect((await test.admin('GET', `/agents/${agent.id}`)).body).toEqual(more.body)
  })

  it('that are deleted or switched off lose their tokens, and get no more', async () => {
    for (const end of [
      (id: string) => test.admin('DELETE', `/agents/${id}`),
      (id: string) => test.admin('PATCH', `/agents/${id}`, { active: false }),
    ]) {
      const agent = await create()
      const token = await test.accessToken(asAgent(agent))
      expect((await end(agent.id)).status).toBeLessThan(205)
      expect(await test.isActive(token)).toBe(false)
      await expect(test.accessToken(asAgent(agent))).rejects.toThrow('invalid_client')
      expect((await actions(agent.id))[0]).toBe('agent.deactivated_with_revocation')
    }
  })

  it('that are switched on again get tokens again; the old ones stay dead', async () => {
    const agent = await create()
    const token = await test.accessToken(asAgent(agent))
    await test.admin('PATCH', `/agents/${agent.id}`, { active: false })
    await test.admin('PATCH', `/agents/${agent.id}`, { active: true })
    expect(await test.isActive(await test.accessToken(asAgent(agent)))).toBe(true)
    expect(await test.isActive(token)).toBe(false)
  })

  it('show their live tokens', async () => {
    const agent = await create()
    const key = await Key.generate()
    await test.accessToken(asAgent(agent), { scope: 'a' })
    await test.accessToken(asAgent(agent), { scope: 'b' }, key)
    const list = async (query = '') => (await test.admin('GET', `/agents/${agent.id}/tokens${query}`)).body
    const { data, total } = await list()
    expect(total).toBe(2)
    expect(data[0]).toEqual({
      jti: expect.any(String),
      sub: agent.client_id,
      scope: 'b',
      aud: RESOURCE,
      iat: test.now,
      exp: test.now + 300,
      dpop_jkt: key.jkt,
      active: true,
    })
    expect((await list('?limit=1&offset=1')).data[0].scope).toBe('a')
    const { count } = (await test.admin('POST', `/agents/${agent.id}/tokens/revoke-all`)).body
    expect(count).toBe(2)
    expect((await list()).data.map(({ active }: Json) => active)).toEqual([false, false])
    test.now += 300
    expect(await list()).toEqual({ data: [], total: 0 })
  })

  it('get a new secret, and the old one is dead at once', async () => {
    const agent = await create()
    const { status, body } = await test.admin('POST', `/agents/${agent.id}/rotate-secret`)
    expect(status).toBe(200)
    expect(await test.accessToken(asAgent({ ...agent, client_secret: body.client_secret }))).toBeDefined()
    await expect(test.accessToken(asAgent(agent))).rejects.toThrow('invalid_client')
    expect((await actions(agent.id))[0]).toBe('agent.secret_rotated')
    const keyed = await create({ token_endpoint_auth_method: 'none' })
    expect((await test.admin('POST', `/agents/${keyed.id}/rotate-secret`)).status).toBe(400)
  })

  it('get a new key, and say which the old one was', async () => {
    const agent = await create()
    const [old, fresh] = [await Key.generate(), await Key.generate()]
    await test.accessToken(asAgent(agent), {}, old)
    const rotate = (jwk: unknown) =>
      test.admin('POST', `/agents/${agent.id}/rotate-dpop-key`, { new_public_jwk: jwk, reason: 'lost' })
    const { body } = await rotate(fresh.jwk)
    expect(body).toEqual({
      old_jkt: old.jkt,
      new_jkt: fresh.jkt,
      revoked_token_count: 1,
      audit_event_id: expect.stringMatching(/^aud_/),
    })
    expect((await rotate(old.jwk)).body.error).toBe('invalid_jwk')
    for (const bad of [undefined, null, 'x']) expect((await rotate(bad)).body.error).toBe('invalid_request')
    const padded = { ...fresh.jwk, x: `${fresh.jwk.x}=` }
    for (const bad of [{}, { ...fresh.jwk, d: 'x' }, { kty: 'oct', k: 'x' }, padded]) {
      expect((await rotate(bad)).body.error).toBe('invalid_jwk')
    }
    expect((await actions(agent.id))[0]).toBe('agent.dpop_key_rotated')
  })

  it('that nobody made are not found', async () => {
    const calls: [string, string, Json?][] = [
      ['GET', ''],
      ['PATCH', '', { name: 'x' }],
      ['DELETE', ''],
      ['GET', '/tokens'],
      ['POST', '/tokens/revoke-all'],
      ['POST', '/rotate-secret'],
      ['POST', '/rotate-dpop-key', { new_public_jwk: {} }],
      ['GET', '/audit'],
    ]
    for (const [method, path, body] of calls) {
      const answer = await test.admin(method, `/agents/agent_nobody${path}`, body)
      expect([path, answer.status, answer.body.error]).toEqual([path, 404, 'not_found'])
    }
  })
})
