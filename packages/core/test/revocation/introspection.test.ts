import { afterEach, describe, expect, it } from 'vitest'
import { ConfigurationError } from '../../src/refusal.ts'
import { type IntrospectionOptions, introspection } from '../../src/revocation/introspection.ts'
import type { RevocationFeed } from '../../src/revocation/source.ts'
import { FakeContext } from './fake-context.ts'
import { ISSUER, NOW, tokenOf } from './tokens.ts'

const ENDPOINT = `${ISSUER}/oauth/introspect`
const open: RevocationFeed[] = []

afterEach(() => {
  for (const feed of open.splice(0)) feed.close()
})

/** A feed that asks an endpoint which answers as told. */
function asking(
  answer: ConstructorParameters<typeof FakeContext>[0],
  options: Partial<IntrospectionOptions> = {},
) {
  const context = new FakeContext(answer)
  context.advertises = { introspection_endpoint: ENDPOINT }
  const feed = introspection({ clientId: 'rs', clientSecret: 'secret', ...options }).open(context)
  open.push(feed)
  return { context, feed }
}

const active = () => Response.json({ active: true })
const inactive = () => Response.json({ active: false })
const unavailable = { reason: 'revocation_unavailable' }

describe('Introspection', () => {
  it('asks about the token as it was sent, with the credentials of the resource, form-encoded [7662-2.1-rs]', async () => {
    const sent: RequestInit[] = []
    const answer = (_url: URL, init: RequestInit) => {
      sent.push(init)
      return active()
    }
    const { context, feed } = asking(answer, { clientId: 'rs:1', clientSecret: 'p w%ä' })
    expect(await feed.check(tokenOf(), 'the.token.text')).toBe('active')
    expect(context.requests.map(String)).toEqual([ENDPOINT])
    expect(sent[0]).toMatchObject({ method: 'POST', redirect: 'manual' })
    expect(sent[0]?.body).toBe('token=the.token.text&token_type_hint=access_token')
    const { authorization } = sent[0]!.headers as Record<string, string>
    expect(atob(authorization!.replace('Basic ', ''))).toBe('rs%3A1:p+w%25%C3%A4')
  })

  it('believes active for 5 seconds, and asks again then', async () => {
    const { context, feed } = asking(active)
    const token = tokenOf()
    expect(await feed.check(token, 't')).toBe('active')
    context.now = NOW + 4.9
    expect(feed.check(token, 't')).toBe('active')
    expect(context.requests).toHaveLength(1)
    context.now = NOW + 5
    context.answer = inactive
    expect(await feed.check(token, 't')).toBe('revoked')
    expect(context.requests).toHaveLength(2)
  })

  it('believes inactive for 30 seconds', async () => {
    const { context, feed } = asking(inactive)
    const token = tokenOf()
    expect(await feed.check(token, 't')).toBe('revoked')
    context.now = NOW + 29
    expect(feed.check(token, 't')).toBe('revoked')
    expect(context.requests).toHaveLength(1)
  })

  it('never believes an answer past the end of the token, nor past that of the answer [7662-4-cache]', async () => {
    const { context, feed } = asking(active, { cacheFor: 60 })
    const token = tokenOf({ expiresAt: NOW + 10 })
    await feed.check(token, 't')
    context.now = NOW + 10
    expect(await feed.check(token, 't')).toBe('revoked')
    context.answer = () => Response.json({ active: true, exp: NOW + 5 })
    expect(await feed.check(tokenOf(), 'u')).toBe('revoked')
  })

  it('does not take an answer from before the clock was set back', async () => {
    const { context, feed } = asking(active)
    const token = tokenOf()
    await feed.check(token, 't')
    context.now = NOW - 3600
    context.answer = inactive
    expect(await feed.check(token, 't')).toBe('revoked')
  })

  it('asks once however many requests come with a token at a time, and once per token', async () => {
    let release: () => void = () => undefined
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const { context, feed } = asking(async () => {
      await held
      return active()
    })
    const [a, b] = [tokenOf(), tokenOf()]
    const checks = Array.from({ length: 100 }, (_, i) => feed.check(i % 2 ? a : b, 't'))
    release()
    expect(new Set(await Promise.all(checks))).toEqual(new Set(['active']))
    expect(context.requests).toHaveLength(2)
  })

  it('compares iss, client_id and jti where they are, and wants none of them', async () => {
    const token = tokenOf()
    const { context, feed } = asking(() => Response.json({ active: true, ...token.claims }))
    expect(await feed.check(token, 't')).toBe('active')
    for (const other of [{ iss: 'http://evil.example.com' }, { client_id: 'agent-2' }, { jti: 'another' }]) {
      context.answer = () => Response.json({ active: true, ...token.claims, ...other })
      await expect(feed.check(tokenOf({ ...token, hash: JSON.stringify(other) }), 't')).rejects.toMatchObject(
        unavailable,
      )
      expect(context.reports.at(-1)).toContain('about another token')
    }
  })

  it.each<[string, () => Response]>([
    ['HTML', () => new Response('<!doctype html>', { headers: { 'content-type': 'text/html' } })],
    ['nothing', () => new Response('')],
    ['active as text', () => Response.json({ active: 'true' })],
    ['active as a number', () => Response.json({ active: 1 })],
    ['no active', () => Response.json({ token_active: true })],
    ['a list', () => Response.json([{ active: true }])],
    ['null', () => Response.json(null)],
    ['exp as text', () => Response.json({ active: true, exp: `${NOW + 100}` })],
    ['65 KB', () => Response.json({ active: true, fill: 'a'.repeat(65 * 1024) })],
    ['a redirect', () => new Response(null, { status: 302, headers: { location: '/elsewhere' } })],
    ['401', () => Response.json({ error: 'invalid_client' }, { status: 401 })],
    ['429', () => new Response(null, { status: 429 })],
    ['500', () => new Response(null, { status: 500 })],
  ])('that answers %s says nothing: unavailable, and reported [7662-2.2-active]', async (_, answer) => {
    const { context, feed } = asking(answer)
    await expect(feed.check(tokenOf(), 'secret-token')).rejects.toMatchObject(unavailable)
    expect(context.reports).toHaveLength(1)
    expect(context.reports[0]).not.toContain('secret')
    context.answer = active
    expect(await feed.check(tokenOf(), 't')).toBe('active')
  })

  it('that does not answer within its deadline is unavailable, also half way through a body', async () => {
    const { context, feed } = asking(() => new Promise(() => undefined), { deadline: 0.05 })
    await expect(feed.check(tokenOf(), 't')).rejects.toMatchObject(unavailable)
    context.answer = () => new Response(new ReadableStream({ pull: () => new Promise(() => undefined) }))
    await expect(feed.check(tokenOf(), 't')).rejects.toMatchObject(unavailable)
    expect(context.reports).toHaveLength(2)
  })

  it('leaves an issuer alone that failed five times: one question per pause, the others are refused at once', async () => {
    const { context, feed } = asking(() => new Response(null, { status: 500 }))
    const refused = () => expect(feed.check(tokenOf(), 't')).rejects.toMatchObject(unavailable)
    for (let i = 0; i < 20; i++) await refused()
    expect(context.requests).toHaveLength(5)
    for (const [pause, asked] of [
      [1, 6],
      [2, 7],
      [4, 8],
      [8, 9],
      [16, 10],
      [30, 11],
      [30, 12],
    ] as const) {
      context.now += pause - 0.1
      await refused()
      context.now += 0.1
      await Promise.all([refused(), refused(), refused()])
      expect(context.requests).toHaveLength(asked)
    }
    context.now += 30
    context.answer = active
    expect(await feed.check(tokenOf(), 't')).toBe('active')
    expect(await Promise.all([feed.check(tokenOf(), 't'), feed.check(tokenOf(), 't')])).toEqual([
      'active',
      'active',
    ])
  })

  it('says when to come back while it leaves the issuer alone', async () => {
    const { context, feed } = asking(() => new Response(null, { status: 500 }))
    for (let i = 0; i < 5; i++) await Promise.resolve(feed.check(tokenOf(), 't')).catch(() => undefined)
    context.now += 31
    await expect(feed.check(tokenOf(), 't')).rejects.toMatchObject({ retryAfter: 2 })
  })

  it('decides nothing old by default; with staleIfError for as long as that, and no longer', async () => {
    for (const [staleIfError, decides] of [
      [0, false],
      [20, true],
    ] as const) {
      const { context, feed } = asking(active, { staleIfError })
      const token = tokenOf()
      await feed.check(token, 't')
      context.answer = () => new Response(null, { status: 503 })
      context.now = NOW + 24
      const check = Promise.resolve(feed.check(token, 't'))
      if (decides) expect(await check).toBe('active')
      else await expect(check).rejects.toMatchObject(unavailable)
      context.now = NOW + 25
      await expect(feed.check(token, 't')).rejects.toMatchObject(unavailable)
    }
  })

  it('keeps what is known to be revoked so through an outage', async () => {
    const { context, feed } = asking(inactive)
    const token = tokenOf()
    await feed.check(token, 't')
    context.answer = () => Promise.reject(new TypeError('connection refused'))
    context.now = NOW + 100
    expect(await feed.check(token, 't')).toBe('revoked')
  })

  it('is ready once the endpoint is known, and unavailable where none is advertised', async () => {
    const { context, feed } = asking(active)
    await feed.ready()
    expect(context.requests).toEqual([])
    context.advertises = {}
    await expect(feed.ready()).rejects.toMatchObject(unavailable)
    await expect(feed.check(tokenOf(), 't')).rejects.toMatchObject({
      message: expect.stringContaining('advertises no introspection_endpoint'),
    })
    const own = asking(active, { endpoint: 'https://as.example.com/introspect' })
    own.context.advertises = undefined
    await own.feed.ready()
    expect(await own.feed.check(tokenOf(), 't')).toBe('active')
  })

  it('ends what it asks when closed, and asks no more', async () => {
    let asked: AbortSignal | undefined
    const { context, feed } = asking((_, { signal }) => {
      asked = signal ?? undefined
      return new Promise(() => undefined)
    })
    const check = Promise.resolve(feed.check(tokenOf(), 't'))
    await Promise.resolve()
    await Promise.resolve()
    feed.close()
    await expect(check).rejects.toMatchObject(unavailable)
    expect(asked?.aborted ?? true).toBe(true)
    const before = context.requests.length
    await expect(feed.check(tokenOf(), 't')).rejects.toMatchObject(unavailable)
    expect(context.requests).toHaveLength(before)
  })

  it.each([
    [{ clientId: '' }, 'introspection.clientId'],
    [{ clientSecret: undefined }, 'introspection.clientSecret'],
    [{ endpoint: '/introspect' }, 'introspection.endpoint'],
    [{ cacheFor: 61 }, 'introspection.cacheFor'],
    [{ cacheFor: -1 }, 'introspection.cacheFor'],
    [{ negativeCacheFor: 301 }, 'introspection.negativeCacheFor'],
    [{ staleIfError: Number.NaN }, 'introspection.staleIfError'],
    [{ deadline: 0 }, 'introspection.deadline'],
    [{ secret: 's' }, 'introspection.secret'],
  ])('cannot be configured with %j', (options, option) => {
    const given = { clientId: 'rs', clientSecret: 's', ...options } as IntrospectionOptions
    expect(() => introspection(given)).toThrow(ConfigurationError)
    expect(() => introspection(given)).toThrow(option)
  })
})
