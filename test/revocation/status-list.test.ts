import { statusList } from '@sharkguard/core'
import { type Issuer, memoryStore, type RunningIssuer, startIssuer } from '@sharkguard/issuer'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Caller } from './caller.ts'
import { type GuardedServer, startGuarded } from './server.ts'

const closing: { close(): Promise<unknown> }[] = []
let now: number | undefined
const clock = () => now ?? Date.now() / 1000

afterEach(async () => {
  now = undefined
  for (const one of closing.splice(0).reverse()) await one.close()
})

async function start(options: Parameters<typeof startIssuer>[0] = {}): Promise<RunningIssuer> {
  const issuer = await startIssuer({ clock, ...options })
  closing.push(issuer)
  return issuer
}

async function guard(issuer: RunningIssuer, revocation = statusList()): Promise<GuardedServer> {
  const guarded = await startGuarded({ issuer: issuer.url, clock, revocation })
  closing.push(guarded)
  return guarded
}

/** Where a token says that its status is. */
function reference(token: string): { idx: number; uri: string } {
  const { status } = decodeJwt<{ status: { status_list: { idx: number; uri: string } } }>(token)
  return status.status_list
}

const get = async (url: string) => {
  const response = await fetch(url)
  return { status: response.status, type: response.headers.get('content-type'), text: await response.text() }
}

/** Whatever the issuer calls itself. */
const at = ({ port }: RunningIssuer, path: string) => `http://127.0.0.1:${port}${path}`

const status = async (caller: Caller) => (await caller.call()).status

describe('A guard that reads the issuer’s status lists', () => {
  it.each<[string, (issuer: Issuer, caller: Caller) => Promise<unknown>]>([
    ['L1', (issuer, { token }) => issuer.revokeToken(token)],
    ['L2', (issuer, { clientId }) => issuer.revokeAgent(clientId)],
    ['L3', (issuer) => issuer.revokeUser('usr_1')],
    ['L4', (issuer, { clientId }) => issuer.revokePattern(`${clientId.slice(0, -1)}?`)],
  ])('refuses what was revoked by %s within the ttl of the list, and nothing else', async (_, revoke) => {
    const issuer = await start({ statusList: { ttl: 1 } })
    const { resource } = await guard(issuer)
    const caller = await Caller.create(issuer, resource, { subject: 'usr_1' })
    const other = await Caller.create(issuer, resource)
    expect([await status(caller), await status(other)]).toEqual([200, 200])
    await revoke(issuer, caller)
    await vi.waitFor(async () => expect(await status(caller)).toBe(401), { timeout: 10_000 })
    const { clientId, prover } = caller
    const later = await issuer.mintToken({ clientId, audience: resource, jkt: prover.jkt })
    expect([await status(other), await status(caller.holding(later))]).toEqual([200, 200])
  })

  it('decides by the list alone while the issuer is away, for its ttl and a minute', async () => {
    now = Date.now() / 1000
    const issuer = await start({ statusList: { ttl: 15 } })
    const { resource } = await guard(issuer)
    const caller = await Caller.create(issuer, resource, { clock })
    expect(await status(caller)).toBe(200)
    await issuer.close()
    now += 74
    expect(await status(caller)).toBe(200)
    now += 2
    expect(await status(caller)).toBe(503)
  })

  it('is what a guard does by itself where an issuer has nothing but those', async () => {
    const issuer = await start({ statusList: { ttl: 1 } })
    const metadata = `${issuer.url}/.well-known/oauth-authorization-server`
    const { revocation_list_uri: _, ...advertised } = JSON.parse((await get(metadata)).text)
    const withoutList: typeof fetch = async (input, init) =>
      String(input) === metadata ? Response.json(advertised) : fetch(input, init)
    const guarded = await startGuarded({ issuer: issuer.url, clock, fetch: withoutList })
    closing.push(guarded)
    const caller = await Caller.create(issuer, guarded.resource)
    expect(await status(caller)).toBe(200)
    await issuer.revokeToken(caller.token)
    await vi.waitFor(async () => expect(await status(caller)).toBe(401), { timeout: 10_000 })
  })
})

describe('The issuer’s status lists', () => {
  it('are statuslist+jwt with their own URI as sub, a ttl, and room for every index [TSL-5.1-issuer] [TSL-8.2-type] [8725-3.11-issuer]', async () => {
    const issuer = await start({ statusList: { ttl: 20, size: 8192 } })
    const token = await issuer.mintToken({ audience: 'https://rs.example.com' })
    const { idx, uri } = reference(token)
    expect(idx).toBeLessThan(8192)
    const list = await get(uri)
    expect([list.status, list.type]).toEqual([200, 'application/statuslist+jwt'])
    expect(decodeProtectedHeader(list.text)).toMatchObject({ typ: 'statuslist+jwt', alg: 'ES256' })
    const claims = decodeJwt(list.text)
    expect(claims).toMatchObject({ iss: issuer.url, sub: uri, ttl: 20, status_list: { bits: 1 } })
    const metadata = JSON.parse((await get(`${issuer.url}/.well-known/oauth-authorization-server`)).text)
    const aggregation = JSON.parse((await get(metadata.status_list_aggregation_endpoint)).text)
    expect(aggregation).toEqual({ status_lists: [uri] })
    expect((await get(`${uri}?time=1`)).status).toBe(501)
    for (const other of ['2', '0', '01', '-1', 'x']) {
      expect((await get(uri.replace(/1$/, other))).status).toBe(404)
    }
  })

  it('give each token a place of its own, in no order that could be told, over several lists as they fill [TSL-6.2-issuer] [TSL-11.3-public]', async () => {
    const store = memoryStore()
    const instances = await Promise.all(
      [0, 1].map(() => start({ issuer: 'http://as.example.com', store, statusList: { size: 8192 } })),
    )
    const places = new Set<string>()
    const first: number[] = []
    for (let i = 0; i < 8192 + 100; i += 4) {
      const tokens = await Promise.all(
        [0, 1, 0, 1].map((n) => instances[n]!.mintToken({ audience: 'https://rs.example.com' })),
      )
      for (const token of tokens) {
        const { uri, idx } = reference(token)
        places.add(`${uri} ${idx}`)
        if (uri.endsWith('/1')) first.push(idx)
      }
    }
    expect(places.size).toBe(8292)
    expect(first.length).toBeGreaterThan(8192 - 64)
    const inOrder = first.slice(1).filter((idx, i) => idx > first[i]!).length / first.length
    expect(inOrder).toBeGreaterThan(0.45)
    expect(inOrder).toBeLessThan(0.55)
    const { status_lists: uris } = JSON.parse((await get(at(instances[1]!, '/oauth/status-lists'))).text)
    expect(uris).toHaveLength(2)
  }, 60_000)

  it('agree between instances, and forget no bit while its token lives', async () => {
    now = Date.now() / 1000
    const store = memoryStore({ clock })
    const options = { issuer: 'http://as.example.com', store }
    const [one, other] = [await start(options), await start(options)]
    const agent = await one.registerAgent()
    const mint = () => one.mintToken({ clientId: agent.clientId, audience: 'https://rs.example.com' })
    const tokens = await Promise.all(Array.from({ length: 50 }, mint))
    await Promise.all(tokens.slice(0, 40).map((token, i) => (i % 2 ? one : other).revokeToken(token)))
    now += 2
    for (const instance of [one, other]) {
      const { text } = await get(at(instance, '/oauth/status-lists/1'))
      const bits = await inflate(decodeJwt<{ status_list: { lst: string } }>(text).status_list.lst)
      const isSet = (token: string) => {
        const { idx } = reference(token)
        return ((bits[idx >> 3]! >> (idx & 7)) & 1) === 1
      }
      expect(tokens.map(isSet)).toEqual(tokens.map((_, i) => i < 40))
      expect(bits.reduce((count, byte) => count + byte.toString(2).replaceAll('0', '').length, 0)).toBe(40)
    }
  })

  it('are not there where they are not wanted, and tokens do not speak of them', async () => {
    const issuer = await start({ statusList: false })
    const token = await issuer.mintToken({ audience: 'https://rs.example.com' })
    expect(decodeJwt(token).status).toBeUndefined()
    expect((await get(`${issuer.url}/oauth/status-lists`)).status).toBe(404)
  })

  it.each([{ ttl: 0 }, { ttl: 301 }, { ttl: 1.5 }, { size: 100 }, { size: 2 ** 23 }, { life: 1 }])(
    'cannot be configured with %j',
    async (statusList) => {
      await expect(startIssuer({ statusList } as never)).rejects.toThrow('statusList')
    },
  )
})

async function inflate(lst: string): Promise<Uint8Array> {
  const packed = new Blob([Buffer.from(lst, 'base64url')]).stream()
  return new Uint8Array(
    await new Response(packed.pipeThrough(new DecompressionStream('deflate'))).arrayBuffer(),
  )
}
