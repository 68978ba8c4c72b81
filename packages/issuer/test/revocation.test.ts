import { decodeJwt } from 'jose'
import { beforeEach, describe, expect, it } from 'vitest'
import { createAuthorizationCode } from '../src/authorization-code.ts'
import { resolveOptions } from '../src/options.ts'
import { assemble, type Parts } from '../src/parts.ts'
import { type Client, type Consent, consentId, type IssuedToken, type RefreshToken } from '../src/records.ts'
import { createRevocationList } from '../src/revocation/list.ts'

const START = 1_800_000_000
const AUDIENCE = 'https://rs.example.com'
let now: number
let parts: Parts

beforeEach(() => {
  now = START + 0.5
  parts = assemble(resolveOptions({ clock: () => now, tokenLifetime: 300 }))
})

async function addClient(id: string, changes: Partial<Client> = {}): Promise<Client> {
  const client = { id, agentId: `agent_${id}`, active: true, ...changes } as Client
  const indexes = client.createdBy === undefined ? [] : [`creator:${client.createdBy}`]
  await parts.settings.store.add('client', id, client, { indexes })
  return client
}

async function mint(clientId: string, changes = {}): Promise<IssuedToken> {
  const request = { clientId, subject: clientId, audience: AUDIENCE, scope: '', ...changes }
  const { token } = await parts.tokens.issue(request)
  return (await parts.settings.store.get('token', decodeJwt(token).jti as string)) as IssuedToken
}

async function addRefresh(clientId: string, subject: string): Promise<RefreshToken> {
  const issuedAt = await parts.revocation.issuedAt({ gid: `grant of ${now}`, clientId, subject })
  const expiresAt = now + parts.settings.refreshTokenLifetime
  const granted = { gid: `grant of ${now}`, clientId, subject, issuedAt, expiresAt }
  const refresh: RefreshToken = { ...granted, scope: '', resources: [AUDIENCE], dpop: false }
  const id = crypto.randomUUID()
  await parts.settings.store.add('refresh', id, refresh, { expiresAt, indexes: [`client:${clientId}`] })
  return refresh
}

async function addConsent(userId: string, clientId: string): Promise<Consent> {
  const revocable = { gid: `consent ${clientId}`, clientId, subject: userId }
  const issuedAt = await parts.revocation.issuedAt(revocable)
  const consent: Consent = { ...revocable, issuedAt, scopes: [], resources: [], expiresAt: now + 86_400 }
  const indexes = [`user:${userId}`, `client:${clientId}`]
  await parts.settings.store.add('consent', consentId(userId, clientId), consent, { indexes })
  return consent
}

const isRevoked = (revocable: Parameters<Parts['revocation']['isRevoked']>[0]) =>
  parts.revocation.isRevoked(revocable)

async function published() {
  const { settings, keys, revocation } = parts
  const list = createRevocationList(settings, keys, revocation.followers)
  const answer = await list(new URLSearchParams(), new AbortController().signal)
  return decodeJwt<{ rules: { k: string; v: string; b?: number; x: number }[] }>(await answer.text()).rules
}

describe('A revocation', () => {
  it('ends refresh tokens and codes with the access tokens; those of the same second after it live', async () => {
    const client = await addClient('a')
    for (let round = 0; round < 3; round++) {
      const before = [await mint('a'), await addRefresh('a', 'usr_1')]
      const code = { clientId: 'a', subject: 'usr_1', codeChallenge: 'c', scope: '', resources: [AUDIENCE] }
      await createAuthorizationCode(parts.settings, parts.revocation, code)
      const { data } = await parts.settings.store.list('code', { limit: 1 })
      await parts.revocation.revokeClient(client, 'test')
      for (const one of [...before, ...data]) expect(await isRevoked(one)).toBe(true)
      for (const one of [await mint('a'), await addRefresh('a', 'usr_1')]) {
        expect(await isRevoked(one)).toBe(false)
      }
    }
    expect(now).toBe(START + 0.5)
  })

  it('is kept as long as a refresh token lives, and published as long as an access token does', async () => {
    const client = await addClient('a')
    const refresh = await addRefresh('a', 'usr_1')
    await mint('a', { lifetime: 900 })
    await parts.revocation.revokeClient(client, 'test')
    expect(await published()).toMatchObject([{ k: 'cid', v: 'a', b: START + 1, x: START + 960 }])
    now += 961
    expect(await published()).toEqual([])
    now = START + parts.settings.refreshTokenLifetime
    expect(await isRevoked(refresh)).toBe(true)
  })

  it('of a grant ends all of it, and what would still come of it', async () => {
    const token = await mint('a', { gid: 'g' })
    const other = await mint('a')
    await parts.revocation.revokeGrant(token)
    expect([await isRevoked(token), await isRevoked(other)]).toEqual([true, false])
    expect(await parts.tokens.issuedAt(token)).toBeUndefined()
    expect(await isRevoked(await mint('b', { gid: 'g' }))).toBe(true)
  })

  it('of a token ends also what is being exchanged for it at that moment', async () => {
    const parent = await mint('a')
    const issuedAt = await parts.tokens.issuedAt(parent)
    await parts.revocation.revokeToken(parent)
    const act = { sub: 'b' }
    const child = await mint('b', { subject: 'a', gid: parent.gid, act, parent: parent.jti, issuedAt })
    expect(await isRevoked(child)).toBe(true)
    expect(await published()).toMatchObject([{ v: parent.jti }, { v: child.jti }])
  })

  it('counts the tokens that it ended, not those that were ended before', async () => {
    const client = await addClient('a')
    const [one] = [await mint('a'), await mint('a'), await mint('a')]
    expect(await parts.revocation.revokeToken(one)).toMatchObject({ count: 1 })
    expect(await parts.revocation.revokeClient(client, 'test')).toMatchObject({ count: 2 })
    expect(await parts.revocation.revokePattern('*')).toMatchObject({ count: 0 })
    const { data } = await parts.settings.store.list('audit')
    expect(data.map(({ details }) => details.count)).toEqual([0, 2, 1])
  })
})

describe('The cascade of a user', () => {
  it('reaches the agents that the user authorized, too: their tokens and consents end, they themselves do not', async () => {
    await addClient('own', { createdBy: 'usr_1' })
    await addClient('authorized')
    await addClient('other')
    const consents = [await addConsent('usr_1', 'authorized'), await addConsent('usr_2', 'authorized')]
    const tokens = [await mint('own'), await mint('authorized'), await mint('other')]
    const cascade = await parts.revocation.revokeUser('usr_1', 'left')
    expect(cascade).toMatchObject({ agentIds: ['agent_own', 'agent_authorized'], consents: 1, count: 2 })
    expect(await Promise.all(tokens.map(isRevoked))).toEqual([true, true, false])
    expect(await isRevoked(consents[0]!)).toBe(true)
    const active = async (id: string) => (await parts.settings.store.get('client', id))?.active
    expect([await active('own'), await active('authorized')]).toEqual([false, true])
    expect(await isRevoked(await mint('authorized'))).toBe(false)
    expect(await parts.revocation.revokeUser('usr_1')).toMatchObject({ consents: 0 })
  })
})

describe('A rotation', () => {
  it('retires every key that the agent has live tokens for, but not the new one', async () => {
    const client = await addClient('a', { jkt: 'first' })
    await mint('a', { jkt: 'second' })
    await mint('a', { jkt: 'new' })
    const foreign = await mint('b', { jkt: 'second' })
    expect(await parts.revocation.rotateKey(client, 'new')).toMatchObject({ oldJkt: 'first', count: 3 })
    const retired = async (jkt: string) => (await parts.settings.store.get('retired', jkt)) !== undefined
    expect([await retired('first'), await retired('second'), await retired('new')]).toEqual([
      true,
      true,
      false,
    ])
    expect(await isRevoked(foreign)).toBe(true)
    expect(await isRevoked(await mint('b', { jkt: 'second' }))).toBe(true)
    expect(await isRevoked(await mint('a', { jkt: 'new' }))).toBe(false)
  })
})
