import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { IssuerKeys } from '../src/keys.ts'
import { Unavailable } from '../src/refusal.ts'
import { FakeIssuer, keyPair, published } from './support/fake-issuer.ts'

const [A, B] = [keyPair('a'), keyPair('b')]
const good = JSON.stringify({ keys: [published(A)] })
let issuer: FakeIssuer
let keys: IssuerKeys

beforeEach(() => {
  issuer = new FakeIssuer(A)
  keys = issuer.keys()
})
afterEach(() => vi.restoreAllMocks())

const kids = async (kid: string | undefined) => (await keys.find(kid, 'ES256')).map(({ id }) => id)
const body =
  (text: string, headers: Record<string, string> = {}) =>
  () =>
    new Response(text, { headers })

const WEATHER: [string, () => Response | Promise<Response>][] = [
  ['an empty set', body('{"keys":[]}')],
  ['no set', body('{}')],
  ['keys that are no array', body('{"keys":{"a":1}}')],
  ['an array', body('[]')],
  ['null', body('null')],
  ['nothing', body('')],
  [
    'HTML with status 200',
    body('<!doctype html><title>Maintenance</title>', { 'content-type': 'text/html' }),
  ],
  ['half a set', body(good.slice(0, -20))],
  ['text that is no UTF-8', () => new Response(Uint8Array.of(0xff, 0xfe, 0x7b))],
  ['a set without a usable key', body('{"keys":[{"kty":"oct","k":"AAAA"},null,5,"x",[]]}')],
  ['an error of the server', () => new Response(good, { status: 500 })],
  ['an error of the client', () => new Response(good, { status: 404 })],
  ['no content', () => new Response(null, { status: 204 })],
  ['a part', () => new Response(good, { status: 206 })],
  [
    'a redirect',
    () => new Response(null, { status: 302, headers: { location: 'https://evil.example/keys' } }),
  ],
  ['a permanent redirect', () => new Response(null, { status: 308, headers: { location: '/keys2' } })],
  ['no answer', () => Promise.reject(new TypeError('fetch failed'))],
  ['a connection that breaks', () => new Response(broken(good))],
]

describe('a set that arrives as', () => {
  it.each(WEATHER)('%s leaves nothing to decide with', async (_, answer) => {
    issuer.answerKeys(answer)
    await expect(kids('a')).rejects.toThrow(Unavailable)
  })

  it.each(WEATHER)('%s leaves the old one in force', async (_, answer) => {
    expect(await kids('a')).toEqual(['a'])
    issuer.answerKeys(answer)
    issuer.now += 301
    expect(await kids('a')).toEqual(['a'])
    expect(issuer.fetches).toBe(2)
    issuer.publish([B])
    issuer.now += 30
    expect(await kids('b')).toEqual(['b'])
    expect(await kids('a')).toEqual([])
  })
})

describe('limits', () => {
  it('redirects are not followed by the fetch either', async () => {
    await kids('a')
    expect(issuer.init.map(({ redirect }) => redirect)).toEqual(['manual', 'manual'])
  })

  it('sixty megabytes are given up after half of one', async () => {
    let sent = 0
    let cancelled = false
    const flood = new ReadableStream({
      pull(controller) {
        sent += 65_536
        if (sent > 60e6) controller.close()
        else controller.enqueue(new Uint8Array(65_536).fill(0x20))
      },
      cancel() {
        cancelled = true
      },
    })
    issuer.answerKeys(() => new Response(flood))
    await expect(kids('a')).rejects.toThrow(/524288 bytes/)
    expect(sent).toBeLessThan(1e6)
    expect(cancelled).toBe(true)
  })

  it.each([
    ['a drip of one byte a second', () => new Response(drip())],
    ['a body that never begins', () => new Response(new ReadableStream())],
    ['headers that never come', () => new Promise<Response>(() => undefined)],
  ])('%s ends at the deadline, though the runtime aborts nothing', async (_, answer) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      issuer.answerKeys(answer)
      let isSettled = false
      const found = kids('a').finally(() => {
        isSettled = true
      })
      const failed = expect(found).rejects.toThrow(Unavailable)
      await vi.advanceTimersByTimeAsync(4999)
      expect(isSettled).toBe(false)
      await vi.advanceTimersByTimeAsync(1)
      await failed
    } finally {
      vi.useRealTimers()
    }
  })

  it('of many keys the first sixty-four count', async () => {
    const many = Array.from({ length: 100 }, (_, i) => ({ ...published(A), kid: `k${i}` }))
    issuer.answerKeys(body(JSON.stringify({ keys: many })))
    expect(await kids('k63')).toEqual(['k63'])
    expect(await kids('k64')).toEqual([])
  })

  it('of many keys that a token might mean four are tried', async () => {
    const many = Array.from({ length: 9 }, () => published(A))
    issuer.answerKeys(body(JSON.stringify({ keys: many })))
    expect(await kids('a')).toHaveLength(4)
    expect(await kids(undefined)).toHaveLength(4)
  })
})

describe('a kept connection that the issuer has just closed', () => {
  const reset = () => Promise.reject(new TypeError('fetch failed', { cause: { code: 'ECONNRESET' } }))

  it('is no outage: the fetch is made once more', async () => {
    await kids('a')
    let resets = 0
    issuer.answerKeys(() =>
      resets++ === 0 ? reset() : Response.json({ keys: [published(A), published(B)] }),
    )
    expect(await kids('b')).toEqual(['b'])
    expect(resets).toBe(2)
  })

  it('twice in a row is one', async () => {
    issuer.answerKeys(reset)
    await expect(kids('a')).rejects.toThrow(Unavailable)
    expect(issuer.fetches).toBe(2)
  })
})

describe('members of a set', () => {
  const jwk = published(B)
  it.each([
    ['for encryption', { ...jwk, use: 'enc' }],
    ['without verify among key_ops', { ...jwk, key_ops: ['sign'] }],
    ['private', { ...jwk, d: 'AAAA' }],
    ['symmetric', { kty: 'oct', k: 'AAAA', kid: 'b', alg: 'ES256' }],
    ['of an unknown type', { ...jwk, kty: 'AKP' }],
    ['of another curve than its algorithm', { ...keyPair('b', 'ES384').publicJwk, kid: 'b', alg: 'ES256' }],
    ['for another algorithm', { ...jwk, alg: 'ES384' }],
    ['named by a number', { ...jwk, kid: 5 }],
    ['named by another case', { ...jwk, kid: 'B' }],
    ['with a leading zero octet', { ...jwk, x: `AA${jwk.x}` }],
    ['no object', 'b'],
  ])('that are %s are left out [7517-5] [8725-3.1]', async (_, member) => {
    issuer.answerKeys(body(JSON.stringify({ keys: [member, published(A)] })))
    expect(await kids('b')).toEqual([])
    expect(await kids('a')).toEqual(['a'])
  })

  it('may share a kid, and all of them are tried', async () => {
    issuer.answerKeys(body(JSON.stringify({ keys: [published(A), { ...jwk, kid: 'a' }] })))
    expect(await kids('a')).toEqual(['a', 'a'])
  })

  it.each([
    '__proto__',
    'constructor',
    'toString',
    '',
    ' ',
    '../../keys',
    "' OR 1=1 --",
    'k'.repeat(65536),
    '\u0000',
    '😀',
  ])('are not found by the kid %j unless they have it', async (kid) => {
    expect(await kids(kid)).toEqual([])
    issuer.publish([A, { ...B, kid }])
    issuer.now += 301
    expect(await kids(kid)).toEqual([kid])
  })

  it('are given to a token without kid by type and algorithm', async () => {
    issuer.publish([A, keyPair('rsa', 'RS256'), keyPair('ed', 'EdDSA')])
    expect(await kids(undefined)).toEqual(['a'])
    expect((await keys.find(undefined, 'Ed25519')).map(({ id }) => id)).toEqual(['ed'])
    expect(await keys.find(undefined, 'PS256')).toEqual([])
  })
})

function broken(text: string): ReadableStream {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(text.slice(0, 20)))
    },
    pull(controller) {
      controller.error(new TypeError('terminated'))
    },
  })
}

function drip(): ReadableStream {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(Uint8Array.of(0x7b))
    },
  })
}
