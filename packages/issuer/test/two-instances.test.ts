import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type IssuerStore, memoryStore } from '../src/index.ts'
import { RESOURCE } from './support/browser.ts'
import { type Agent, type Fields, IssuerUnderTest, Key, redemption } from './support/issuer-under-test.ts'

/** Two instances with one store, behind one name: a balancer sends each request to either. */
const ISSUER = 'https://issuer.example'
const one = new IssuerUnderTest()
const two = new IssuerUnderTest()
let agent: Agent
let key: Key

beforeAll(async () => {
  const store = memoryStore({ clock: () => one.now })
  const options = { store, issuer: ISSUER, adminKey: 'sk_live_of_both' }
  for (const test of [one, two]) {
    await test.start({ ...options, clock: () => one.now, nonce: true })
  }
  key = await Key.generate()
})
afterAll(() => Promise.all([one, two].map((test) => test.issuer.close())))
beforeEach(async () => {
  agent = await one.issuer.registerAgent()
})

describe('two instances with one store are one issuer:', () => {
  const request = { grant_type: 'client_credentials', resource: RESOURCE }

  it('a client of one gets tokens of the other, which the first knows and revokes for both', async () => {
    const token = await two.accessToken(agent)
    expect(await one.isActive(token)).toBe(true)
    await one.issuer.revokeAgent(agent.clientId)
    for (const test of [one, two]) expect(await test.isActive(token)).toBe(false)
  })

  it('a nonce of one is the other’s, a proof that one has seen is seen by both', async () => {
    const ask = async (test: IssuerUnderTest, dpop: string) => {
      const fields = { ...request, client_id: agent.clientId, client_secret: agent.clientSecret }
      return test.post('/oauth/token', fields, { dpop })
    }
    const prove = (nonce?: string) => key.proof(`${ISSUER}/oauth/token`, one.now, { claims: { nonce } })
    const challenged = await ask(one, await prove())
    expect(challenged.body.error).toBe('use_dpop_nonce')
    const proof = await prove(challenged.headers.get('dpop-nonce')!)
    expect((await ask(two, proof)).status).toBe(200)
    expect((await ask(one, proof)).body.error).toBe('invalid_dpop_proof')
  })

  it('what one revokes while the other, whose clock is ahead, makes tokens of it ends with them', async () => {
    let meanwhile: (() => Promise<void>) | undefined
    const store = memoryStore({ clock: () => one.now })
    const add: IssuerStore['add'] = async (kind, ...record) => {
      const act = kind === 'token' ? meanwhile : undefined
      if (act !== undefined) meanwhile = undefined
      await act?.()
      return store.add(kind, ...record)
    }
    const options = { store: { ...store, add }, issuer: ISSUER, adminKey: 'sk_live_of_both' }
    const [near, ahead] = [new IssuerUnderTest(), new IssuerUnderTest()]
    await near.start({ ...options, clock: () => one.now })
    await ahead.start({ ...options, clock: () => one.now + 1 })
    const client = await near.publicClient()
    const revoke = () => near.issuer.revokeUser('usr_test')
    const { refresh_token } = await near.login(client)
    const renewed = await ahead.refresh(client, refresh_token)
    expect(renewed.status).toBe(200)
    one.now += 10
    meanwhile = revoke
    const outrun = await ahead.refresh(client, renewed.body.refresh_token)
    expect([outrun.status, outrun.body.error]).toEqual([400, 'invalid_grant'])
    const code = await near.code(client.clientId)
    one.now += 10
    meanwhile = revoke
    const redeemed = await ahead.token({ clientId: client.clientId }, redemption(code))
    expect([redeemed.status, redeemed.body.error]).toEqual([400, 'invalid_grant'])
    await Promise.all([near, ahead].map((test) => test.issuer.close()))
  })

  it('a code and a refresh token are used once, wherever they come', async () => {
    const client = await two.publicClient()
    const fields = redemption(await one.code(client.clientId))
    const both = (fields: Fields) =>
      Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          (n % 2 ? one : two).token({ clientId: client.clientId }, fields),
        ),
      )
    expect((await both(fields)).filter(({ status }) => status === 200)).toHaveLength(1)
    const { refresh_token } = await two.login(client)
    const refreshed = await both({ grant_type: 'refresh_token', refresh_token })
    expect(refreshed.filter(({ status }) => status === 200)).toHaveLength(1)
  })
})
