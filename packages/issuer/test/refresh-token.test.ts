import { decodeJwt } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { RESOURCE } from './support/browser.ts'
import {
  type Agent,
  type Fields,
  IssuerUnderTest,
  type Json,
  Key,
  OTHER_RESOURCE,
} from './support/issuer-under-test.ts'

const test = new IssuerUnderTest()
let client: Agent
let tokens: Json

beforeAll(async () => {
  await test.start()
  client = await test.publicClient()
})
afterAll(() => test.issuer.close())
beforeEach(async () => {
  tokens = await test.login(client, { scope: 'notes:read notes:write' })
})

const refresh = (fields: Fields = {}, token = tokens.refresh_token) => test.refresh(client, token, fields)

describe('a refresh token', () => {
  it('gives a new access token of the same grant, and the next refresh token [MCP-A15]', async () => {
    const { status, body } = await refresh()
    expect(status).toBe(200)
    expect(body.scope).toBe('notes:read notes:write')
    expect(body.refresh_token).not.toBe(tokens.refresh_token)
    const [before, after] = [tokens.access_token, body.access_token].map((token) => decodeJwt(token))
    expect(after).toMatchObject({ sub: before!.sub, aud: before!.aud, gid: before!.gid })
    expect(after!.jti).not.toBe(before!.jti)
    expect((await refresh({}, body.refresh_token)).status).toBe(200)
  })

  it.each<[string, Fields, string]>([
    ['no token', { refresh_token: undefined }, 'invalid_request'],
    ['another token', { refresh_token: 'x'.repeat(64) }, 'invalid_grant'],
    ['an access token', { refresh_token: 'a.b.c' }, 'invalid_grant'],
    ['more scope', { scope: 'notes:read notes:delete' }, 'invalid_scope'],
    ['a wildcard', { scope: '*' }, 'invalid_scope'],
    ['another resource', { resource: OTHER_RESOURCE }, 'invalid_target'],
  ])('with %s is refused, and still good [6749-6-scope]', async (_what, change, error) => {
    const { status, body } = await refresh(change)
    expect([status, body.error]).toEqual([400, error])
    expect((await refresh()).status).toBe(200)
  })

  it('of another client is refused, and still its own [6749-6-client]', async () => {
    const other = await test.publicClient()
    expect((await test.refresh(other, tokens.refresh_token)).body.error).toBe('invalid_grant')
    expect((await refresh()).status).toBe(200)
  })

  it('narrows the scope of one access token, and has all of it for the next', async () => {
    const narrow = await refresh({ scope: 'notes:read', resource: RESOURCE })
    expect(narrow.body.scope).toBe('notes:read')
    expect(decodeJwt(narrow.body.access_token).scope).toBe('notes:read')
    expect((await refresh({}, narrow.body.refresh_token)).body.scope).toBe('notes:read notes:write')
  })

  it('lives for two weeks from when it was given', async () => {
    test.now += 14 * 86_400 - 1
    const { body, status } = await refresh()
    expect(status).toBe(200)
    test.now += 14 * 86_400 + 1
    expect((await refresh({}, body.refresh_token)).body.error).toBe('invalid_grant')
  })
})

describe('a refresh token that comes twice', () => {
  it('ends the grant: who has the next one has nothing either [9700-2.2.2]', async () => {
    const { body } = await refresh()
    expect((await refresh()).body.error).toBe('invalid_grant')
    expect((await refresh({}, body.refresh_token)).body.error).toBe('invalid_grant')
    for (const token of [tokens.access_token, body.access_token])
      expect(await test.isActive(token)).toBe(false)
    const { data } = (await test.admin('GET', '/audit-logs?action=oauth.refresh_token_reused')).body
    expect(data[0].details.client_id).toBe(client.clientId)
  })

  it('is noticed long after', async () => {
    let token = (await refresh()).body.refresh_token
    for (let week = 0; week < 3; week++) {
      test.now += 4 * 86_400
      token = (await refresh({}, token)).body.refresh_token
    }
    await refresh()
    expect((await refresh({}, token)).body.error).toBe('invalid_grant')
  })

  it('gives one successor to 20 at once', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => refresh()))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  })

  it('leaves other grants of the same client and user alone', async () => {
    const others = await test.login(client)
    await refresh()
    await refresh()
    expect((await refresh({}, others.refresh_token)).status).toBe(200)
  })
})

describe('revocation', () => {
  it('is done once, however often its client asks for it', async () => {
    const revoke = () => {
      const fields = { token: tokens.refresh_token, client_id: client.clientId }
      return test.post('/oauth/revoke', fields)
    }
    const rules = async () => decodeJwt((await test.request('/oauth/revocations')).body.text).seq as number
    const before = await rules()
    expect((await revoke()).status).toBe(200)
    expect([await rules(), (await refresh()).body.error]).toEqual([before + 1, 'invalid_grant'])
    expect((await revoke()).status).toBe(200)
    expect(await rules()).toBe(before + 1)
  })

  it.each<[string, () => Promise<unknown>]>([
    ['the client', () => test.issuer.revokeAgent(client.clientId)],
    ['the user', () => test.issuer.revokeUser('usr_test')],
    ['a pattern', () => test.issuer.revokePattern('shark_dcr_*')],
  ])('of %s ends it for as long as it would have lived', async (_what, revoke) => {
    const other = (await test.login(client)).refresh_token
    await revoke()
    expect((await refresh()).body.error).toBe('invalid_grant')
    test.now += 13 * 86_400
    expect((await refresh({}, other)).body.error).toBe('invalid_grant')
  })
})

describe('a confidential client', () => {
  const redirectUris = ['https://client.example/callback']
  let confidential: Agent
  let key: Key

  beforeAll(async () => {
    const grantTypes = ['authorization_code', 'refresh_token']
    confidential = await test.issuer.registerAgent({ grantTypes, redirectUris })
    key = await Key.generate()
  })

  it('is known by its secret, and may change its key; but what was bound stays bound [9449-5-confidential]', async () => {
    const { refresh_token } = await test.login(confidential, {}, key)
    const bare = await test.refresh(confidential, refresh_token)
    expect([bare.status, bare.body.error]).toEqual([400, 'invalid_dpop_proof'])
    const next = await Key.generate()
    const { body } = await test.refresh(confidential, refresh_token, {}, next)
    expect(body).toMatchObject({ token_type: 'DPoP', cnf: { jkt: next.jkt } })
  })

  it('cannot refresh without its secret', async () => {
    const { refresh_token } = await test.login(confidential)
    const stolen = { ...confidential, clientSecret: '' }
    expect((await test.refresh(stolen, refresh_token)).body.error).toBe('invalid_client')
  })
})
