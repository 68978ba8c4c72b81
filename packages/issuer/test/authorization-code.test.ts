import { decodeJwt } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { RESOURCE, VERIFIER } from './support/browser.ts'
import {
  type Agent,
  type Fields,
  IssuerUnderTest,
  Key,
  OTHER_RESOURCE,
  redemption,
} from './support/issuer-under-test.ts'

const test = new IssuerUnderTest()
let client: Agent
let other: Agent
let key: Key
let code: string

beforeAll(async () => {
  await test.start()
  client = await test.publicClient()
  other = await test.publicClient()
  key = await Key.generate()
})
afterAll(() => test.issuer.close())
beforeEach(async () => {
  code = await test.code(client.clientId)
})

const redeem = (changes: Fields = {}, proven?: Key, by = client) =>
  test.token({ clientId: by.clientId }, { ...redemption(code), ...changes }, proven)

describe('an authorization code', () => {
  it('gives the user’s token for what was agreed to, and a refresh token [7636-4.2-s256]', async () => {
    const { status, body } = await redeem()
    expect(status).toBe(200)
    expect(body).toMatchObject({
      token_type: 'Bearer',
      scope: 'notes:read',
      refresh_token: expect.any(String),
    })
    expect(decodeJwt(body.access_token)).toMatchObject({
      sub: 'usr_test',
      client_id: client.clientId,
      aud: RESOURCE,
      scope: 'notes:read',
    })
  })

  it('gives no refresh token to a client that is not registered for one', async () => {
    const simple = await test.publicClient({ grant_types: ['authorization_code'] })
    expect(await test.login(simple)).not.toHaveProperty('refresh_token')
  })

  it('is redeemed by a confidential client with its secret', async () => {
    const redirectUris = ['https://client.example/callback']
    const confidential = await test.issuer.registerAgent({ grantTypes: ['authorization_code'], redirectUris })
    expect(await test.login(confidential)).toMatchObject({ scope: 'notes:read' })
    code = await test.code(confidential.clientId)
    expect((await redeem({}, undefined, confidential)).body.error).toBe('invalid_client')
    expect((await redeem({ client_secret: confidential.clientSecret }, undefined, confidential)).status).toBe(
      200,
    )
  })

  it.each<[string, Fields, string]>([
    ['no code', { code: undefined }, 'invalid_request'],
    ['another code', { code: 'x'.repeat(64) }, 'invalid_grant'],
    ['no verifier', { code_verifier: undefined }, 'invalid_request'],
    ['another verifier', { code_verifier: `${VERIFIER.slice(0, -1)}x` }, 'invalid_grant'],
    [
      'the challenge as the verifier',
      { code_verifier: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM' },
      'invalid_grant',
    ],
    ['a verifier that is too short', { code_verifier: 'x'.repeat(42) }, 'invalid_grant'],
    ['no redirect URI', { redirect_uri: undefined }, 'invalid_grant'],
    ['another redirect URI', { redirect_uri: 'https://client.example/callback/' }, 'invalid_grant'],
    ['another resource', { resource: OTHER_RESOURCE }, 'invalid_target'],
    ['one resource more', { resource: [RESOURCE, OTHER_RESOURCE] }, 'invalid_target'],
  ])(
    'with %s is refused, and can still be redeemed by who has everything [6749-4.1.3-redirect] [7636-4.6] [8707-2.2-subset] [9700-2.1.1-downgrade]',
    async (_what, change, error) => {
      const { status, body } = await redeem(change)
      expect([status, body.error]).toEqual([400, error])
      expect((await redeem()).status).toBe(200)
    },
  )

  it('of another client is refused, and stays that client’s [6749-4.1.3-client]', async () => {
    expect((await redeem({}, undefined, other)).body.error).toBe('invalid_grant')
    expect((await redeem()).status).toBe(200)
  })

  it('lives for a minute [6749-4.1.2-once]', async () => {
    test.now += 59
    expect((await redeem()).status).toBe(200)
    code = await test.code(client.clientId)
    test.now += 60
    expect((await redeem()).body.error).toBe('invalid_grant')
  })

  it('for several resources gives tokens for all or some of them', async () => {
    const resource = [RESOURCE, OTHER_RESOURCE]
    code = await test.code(client.clientId, { resource })
    expect(decodeJwt((await redeem()).body.access_token).aud).toEqual(resource)
    code = await test.code(client.clientId, { resource })
    const { body } = await redeem({ resource: OTHER_RESOURCE })
    expect(decodeJwt(body.access_token).aud).toBe(OTHER_RESOURCE)
    const refreshed = await test.refresh(client, body.refresh_token, { resource: RESOURCE })
    expect(decodeJwt(refreshed.body.access_token).aud).toBe(RESOURCE)
  })

  it('without a redirect URI in the request needs none', async () => {
    code = await test.code(client.clientId, { redirect_uri: undefined })
    expect((await redeem()).body.error).toBe('invalid_grant')
    expect((await redeem({ redirect_uri: undefined })).status).toBe(200)
  })
})

describe('a code that comes twice', () => {
  it('ends all that came of it [6749-4.1.2-replay]', async () => {
    const { access_token, refresh_token } = (await redeem()).body
    const before = await test.refresh(client, refresh_token)
    expect(await test.isActive(access_token)).toBe(true)
    expect((await redeem()).body.error).toBe('invalid_grant')
    expect(await test.isActive(access_token)).toBe(false)
    expect(await test.isActive(before.body.access_token)).toBe(false)
    expect((await test.refresh(client, before.body.refresh_token)).body.error).toBe('invalid_grant')
    const { data } = (await test.admin('GET', '/audit-logs?action=oauth.code_reused')).body
    expect(data[0].details.client_id).toBe(client.clientId)
  })

  it('ends it a good while later as well', async () => {
    const { refresh_token } = (await redeem()).body
    test.now += 1800
    await redeem()
    expect((await test.refresh(client, refresh_token)).body.error).toBe('invalid_grant')
  })

  it.each<[string, Fields]>([
    ['the verifier', { code_verifier: 'y'.repeat(43) }],
    ['the redirect URI', { redirect_uri: 'https://attacker.example/' }],
  ])('without %s ends nothing: who has seen the code can disturb nobody', async (_what, change) => {
    const { access_token } = (await redeem()).body
    expect((await redeem(change)).body.error).toBe('invalid_grant')
    expect(await test.isActive(access_token)).toBe(true)
  })

  it('gives one token to 50 at once', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => redeem()))
    const statuses = answers.map(({ status }) => status)
    expect(statuses.filter((status) => status === 200)).toHaveLength(1)
    expect(new Set(statuses)).toEqual(new Set([200, 400]))
    const { body } = answers.find(({ status }) => status === 200)!
    expect(await test.isActive(body.access_token)).toBe(false)
  })
})

describe('a code and a key', () => {
  it('bind the token, and the refresh token of a public client [9449-5-refresh]', async () => {
    const { body } = await redeem({}, key)
    expect(body).toMatchObject({ token_type: 'DPoP', cnf: { jkt: key.jkt } })
    const stranger = await Key.generate()
    expect((await test.refresh(client, body.refresh_token, {}, stranger)).body.error).toBe('invalid_grant')
    expect((await test.refresh(client, body.refresh_token)).body.error).toBe('invalid_dpop_proof')
    expect((await test.refresh(client, body.refresh_token, {}, key)).body.token_type).toBe('DPoP')
  })

  it('that was asked for with dpop_jkt is redeemed with that key only [9449-10-match]', async () => {
    code = await test.code(client.clientId, { dpop_jkt: key.jkt })
    const stranger = await Key.generate()
    expect((await redeem({}, stranger)).body.error).toBe('invalid_grant')
    expect((await redeem()).body.error).toBe('invalid_grant')
    expect((await redeem({}, key)).body.token_type).toBe('DPoP')
  })
})

describe('revocation', () => {
  it.each<[string, () => Promise<unknown>]>([
    ['the client', () => test.issuer.revokeAgent(client.clientId)],
    ['the user', () => test.issuer.revokeUser('usr_test')],
    ['a pattern', () => test.issuer.revokePattern('shark_dcr_*')],
  ])('of %s ends codes that have not been redeemed; later ones live', async (_what, revoke) => {
    await revoke()
    expect((await redeem()).body.error).toBe('invalid_grant')
    code = await test.code(client.clientId)
    expect((await redeem()).status).toBe(200)
    test.now += 2
  })
})
