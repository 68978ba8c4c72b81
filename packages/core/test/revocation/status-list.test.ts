import { deflateSync } from 'node:zlib'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { ConfigurationError } from '../../src/refusal.ts'
import type { RevocationFeed } from '../../src/revocation/source.ts'
import { statusList } from '../../src/revocation/status-list.ts'
import { FakeContext, sign, strangersKey } from './fake-context.ts'
import { ISSUER, NOW, tokenOf } from './tokens.ts'

const URI = `${ISSUER}/status/1`
const open: RevocationFeed[] = []

afterEach(() => {
  for (const feed of open.splice(0)) feed.close()
})

const deflated = (bytes: readonly number[]) => deflateSync(Uint8Array.from(bytes)).toString('base64url')
const referring = (idx: unknown, uri: unknown = URI) =>
  tokenOf({ claims: { status: { status_list: { idx, uri } } } as never })

/** Claims of a list with one bit per token, of which 1 and 9 are set. */
const claimsAt = (now: number, changes: object = {}) => ({
  iss: ISSUER,
  sub: URI,
  iat: Math.floor(now),
  exp: Math.floor(now) + 3600,
  ttl: 60,
  status_list: { bits: 1, lst: deflated([0b10, 0b10]) },
  ...changes,
})

function publishing(changes: object = {}, options = {}) {
  const context: FakeContext = new FakeContext(
    async () => new Response(await sign(claimsAt(context.now, changes), 'statuslist+jwt')),
  )
  const feed = statusList(options).open(context)
  open.push(feed)
  return { context, feed }
}

const unavailable = { reason: 'revocation_unavailable' }

describe('A status list', () => {
  it('says of each index whether it is valid, from the least significant bit on [TSL-4.1-compress]', async () => {
    const { context, feed } = publishing()
    expect(await feed.check(referring(0), '')).toBe('active')
    const said = Array.from({ length: 16 }, (_, i) => feed.check(referring(i), ''))
    expect(said.flatMap((verdict, i) => (verdict === 'revoked' ? [i] : []))).toEqual([1, 9])
    expect(context.requests.map(String)).toEqual([URI])
  })

  it("agrees with the draft's own vectors, of one bit and of two", async () => {
    const one = publishing({ status_list: { bits: 1, lst: 'eNrbuRgAAhcBXQ' } })
    await one.feed.check(referring(0), '')
    const bits = Array.from({ length: 16 }, (_, i) => one.feed.check(referring(i), '') === 'revoked')
    expect(bits.map(Number)).toEqual([1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1])
    const two = publishing({ status_list: { bits: 2, lst: 'eNo76fITAAPfAgc' } })
    await two.feed.check(referring(0), '')
    const statuses = [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]
    expect(statuses.map((_, i) => two.feed.check(referring(i), ''))).toEqual(
      statuses.map((status) => (status === 0 ? 'active' : 'revoked')),
    )
  })

  it.each([
    [4, [0x20, 0x01], ['active', 'revoked', 'revoked', 'active']],
    [8, [0, 7, 0xff], ['active', 'revoked', 'revoked']],
  ])(
    'may have %i bits per token; suspended and whatever else is not valid',
    async (bits, bytes, expected) => {
      const { feed } = publishing({ status_list: { bits, lst: deflated(bytes) } })
      await feed.check(referring(0), '')
      expect(expected.map((_, i) => feed.check(referring(i), ''))).toEqual(expected)
    },
  )

  it('refuses a token whose index is outside of it [TSL-8.3-range]', async () => {
    const { feed } = publishing()
    expect(await feed.check(referring(16), '')).toBe('revoked')
    expect(feed.check(referring(Number.MAX_SAFE_INTEGER), '')).toBe('revoked')
  })

  it('says nothing of tokens that refer to none', () => {
    const { context, feed } = publishing()
    expect(feed.check(tokenOf(), '')).toBe('active')
    expect(context.requests).toEqual([])
  })

  it.each<[{ status: unknown }]>([
    [{ status: 'valid' }],
    [{ status: {} }],
    [{ status: { status_list: [] } }],
    ...[undefined, '1', -1, 1.5, Number.NaN, 2 ** 53].map((idx): [{ status: unknown }] => [
      { status: { status_list: { idx, uri: URI } } },
    ]),
    ...[undefined, 7, '/status/1', 'ftp://as.example.com/1', 'http://'].map((uri): [{ status: unknown }] => [
      { status: { status_list: { idx: 1, uri } } },
    ]),
  ])('refuses a token whose reference is none: %j [TSL-6.2-idx]', (claims) => {
    const { context, feed } = publishing()
    expect(() => feed.check(tokenOf({ claims: claims as never }), '')).toThrow(
      expect.objectContaining({ reason: 'token_claims_invalid' }),
    )
    expect(context.requests).toEqual([])
  })

  it.each<[string, object, string]>([
    ['for another URI', { sub: `${URI}0` }, 'sub'],
    ['without sub', { sub: undefined }, 'sub'],
    ['of another issuer', { iss: 'http://evil.example.com' }, 'iss'],
    ['dated ahead', { iat: NOW + 11 }, 'iat'],
    ['without date', { iat: undefined }, 'iat'],
    ['that has expired', { exp: NOW }, 'expired'],
    ['that expires as text', { exp: `${NOW + 100}` }, 'expired'],
    ['with a ttl as text', { ttl: '60' }, 'ttl'],
    ['without status_list', { status_list: undefined }, 'status_list'],
    ['with 3 bits', { status_list: { bits: 3, lst: deflated([0]) } }, 'bits'],
    ['with bits as text', { status_list: { bits: '1', lst: deflated([0]) } }, 'bits'],
    ['without lst', { status_list: { bits: 1 } }, 'lst'],
    ['with lst that is no base64url', { status_list: { bits: 1, lst: 'eNrbuRgAAhcBXQ==' } }, 'lst'],
    ['with lst that is not deflated', { status_list: { bits: 1, lst: 'AAAA' } }, 'zlib'],
    ['with lst that breaks off', { status_list: { bits: 1, lst: deflated([1, 2, 3]).slice(0, -8) } }, 'zlib'],
    [
      'that inflates to 17 MB',
      { status_list: { bits: 1, lst: deflateSync(Buffer.alloc(17 * 1024 * 1024)).toString('base64url') } },
      'too large',
    ],
  ])(
    '%s is none: unavailable, and reported [TSL-5.1-claims] [TSL-8.3-sub] [TSL-8.3-exp]',
    async (_, changes, problem) => {
      const { context, feed } = publishing(changes)
      await expect(feed.check(referring(0), '')).rejects.toMatchObject({
        ...unavailable,
        message: expect.stringContaining(problem),
      })
      expect(context.reports).toHaveLength(1)
    },
  )

  it.each<[string, () => Promise<Response>]>([
    [
      'signed by a stranger',
      async () => new Response(await sign(claimsAt(NOW), 'statuslist+jwt', strangersKey)),
    ],
    ['of another type', async () => new Response(await sign(claimsAt(NOW), 'JWT'))],
    ['that is JSON', async () => Response.json(claimsAt(NOW))],
    ['that redirects', async () => new Response(null, { status: 302, headers: { location: '/other' } })],
    ['of 404', async () => new Response(null, { status: 404 })],
    ['of 33 MB', async () => new Response('a'.repeat(33 * 1024 * 1024))],
  ])('%s is none [TSL-5.1-typ]', async (_, answer) => {
    const { context, feed } = publishing()
    context.answer = answer
    await expect(feed.check(referring(0), '')).rejects.toMatchObject(unavailable)
    expect(context.requests).toHaveLength(1)
  })

  it('is asked for on the origin of the issuer only, or one that was configured', async () => {
    const elsewhere = 'https://lists.example.com/1'
    const { context, feed } = publishing()
    await expect(feed.check(referring(0, elsewhere), '')).rejects.toMatchObject(unavailable)
    await expect(feed.check(referring(0, `${ISSUER}.evil.example/1`), '')).rejects.toMatchObject(unavailable)
    expect(context.requests).toEqual([])
    const allowed = publishing({ sub: elsewhere }, { origins: ['https://lists.example.com'] })
    expect(await allowed.feed.check(referring(0, elsewhere), '')).toBe('active')
  })
})

describe('The age of a status list', () => {
  it('is at most its ttl: then it is asked for again, and before that in the background', async () => {
    const { context, feed } = publishing()
    await feed.check(referring(0), '')
    context.now = NOW + 44
    expect(feed.check(referring(0), '')).toBe('active')
    expect(context.requests).toHaveLength(1)
    context.now = NOW + 46
    expect(feed.check(referring(0), '')).toBe('active')
    await vi.waitFor(() => expect(context.requests).toHaveLength(2))
    await vi.waitFor(() => {
      context.now = NOW + 46 + 59
      expect(feed.check(referring(0), '')).toBe('active')
    })
    context.now = NOW + 1000
    expect(await feed.check(referring(1), '')).toBe('revoked')
  })

  it.each([
    [0, 1],
    [100_000, 300],
    [undefined, 60],
  ])('is bounded whatever the ttl: %s is %i seconds [TSL-13.7-cache]', async (ttl, seconds) => {
    const { context, feed } = publishing({ ttl })
    await feed.check(referring(0), '')
    context.now = NOW + seconds * 0.74
    expect(feed.check(referring(0), '')).toBe('active')
    expect(context.requests).toHaveLength(1)
    context.now = NOW + seconds
    expect(feed.check(referring(0), '')).toBeInstanceOf(Promise)
  })

  it('may be a minute over it while no other can be had, which is reported; never over its exp', async () => {
    for (const [exp, last] of [
      [NOW + 3600, 119],
      [NOW + 90, 89],
    ] as const) {
      const { context, feed } = publishing({ exp })
      await feed.check(referring(0), '')
      context.answer = () => new Response(null, { status: 503 })
      context.now = NOW + last
      expect(await feed.check(referring(0), '')).toBe('active')
      expect(await feed.check(referring(1), '')).toBe('revoked')
      expect(context.reports[0]).toContain('status 503')
      context.now = NOW + last + 1
      await expect(feed.check(referring(0), '')).rejects.toMatchObject(unavailable)
    }
  })

  it('does not bring back an older list', async () => {
    const { context, feed } = publishing()
    await feed.check(referring(0), '')
    context.now = NOW + 61
    context.answer = async () =>
      new Response(await sign({ ...claimsAt(NOW - 1), exp: NOW + 3600 }, 'statuslist+jwt'))
    expect(await feed.check(referring(1), '')).toBe('revoked')
    expect(context.reports[0]).toContain('older')
  })

  it('is asked for once however many wait for it, and not again right after a failure', async () => {
    const { context, feed } = publishing()
    await Promise.all(Array.from({ length: 50 }, (_, i) => feed.check(referring(i % 8), '')))
    expect(context.requests).toHaveLength(1)
    const down = publishing()
    down.context.answer = () => Promise.reject(new TypeError('connection refused'))
    for (let i = 0; i < 5; i++)
      await expect(down.feed.check(referring(0), '')).rejects.toMatchObject(unavailable)
    expect(down.context.requests).toHaveLength(1)
  })

  it.each([
    [{ origins: 'https://lists.example.com' }],
    [{ origins: ['https://lists.example.com/path'] }],
    [{ lists: [] }],
  ])('cannot be configured with %j', (options) => {
    expect(() => statusList(options as never)).toThrow(ConfigurationError)
  })
})
