import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { revocationList } from '../../src/revocation/revocation-list.ts'
import type { RevocationFeed } from '../../src/revocation/source.ts'
import { FakeContext, sign, strangersKey } from './fake-context.ts'
import { ListIssuer } from './list-issuer.ts'
import { NOW, tokenOf } from './tokens.ts'

const X = NOW + 86_400
const MEGABYTE = 1024 * 1024
const soon = (assertion: () => void) => vi.waitFor(assertion, { interval: 2, timeout: 20_000 })
const closing: (RevocationFeed | Server)[] = []
const bad = tokenOf({ clientId: 'bad' })
const good = tokenOf()

afterEach(() => {
  for (const one of closing.splice(0)) one.close()
})

function opened(context: FakeContext, uri?: string): RevocationFeed {
  const feed = revocationList(uri === undefined ? {} : { uri }).open(context)
  closing.push(feed)
  return feed
}

const valid = { iss: 'http://as.example.com', iat: NOW, exp: NOW + 60, seq: 1, since: 0, rules: [] }

describe('A bad revocation list is ignored and reported', () => {
  it('unlike a good one', async () => {
    const context = new FakeContext(async () => new Response(await sign(valid, 'revocation-list+jwt')))
    expect(await opened(context).check(good, '')).toBe('active')
  })

  it.each<[string, object, string]>([
    ['of another issuer', { iss: 'http://as.example.com/' }, 'iss'],
    ['without an issuer', { iss: undefined }, 'iss'],
    ['dated 11 seconds ahead', { iat: NOW + 11 }, 'iat is in the future'],
    ['dated a minute ago', { iat: NOW - 61 }, 'too old'],
    ['without a date', { iat: undefined }, 'iat'],
    ['that has expired', { exp: NOW }, 'too old'],
    ['that never expires', { exp: undefined }, 'exp'],
    ['without seq', { seq: undefined }, 'seq'],
    ['with a seq that is text', { seq: '1' }, 'seq'],
    ['with a negative seq', { seq: -1 }, 'seq'],
    ['since something else', { since: 1 }, 'since'],
    ['without since', { since: undefined }, 'since'],
    ['without rules', { rules: undefined }, 'rules'],
    ['with an unknown kind', { rules: [{ k: 'all', v: '*', x: X }] }, 'rule 0 is not understood'],
    [
      'with too many patterns',
      { rules: Array.from({ length: 1025 }, (_, i) => ({ k: 'glob', v: `${i}*`, x: X })) },
      'too many patterns',
    ],
  ])('%s', async (_, change, problem) => {
    const claims = { ...valid, ...change }
    const context = new FakeContext(async () => new Response(await sign(claims, 'revocation-list+jwt')))
    await expect(opened(context).check(good, '')).rejects.toMatchObject({
      reason: 'revocation_unavailable',
      message: expect.stringContaining(problem),
    })
    expect(context.reports[0]).toContain(problem)
  })

  it.each<[string, () => Promise<string>]>([
    ['signed by a stranger', () => sign(valid, 'revocation-list+jwt', strangersKey)],
    ['of another type', () => sign(valid, 'at+jwt')],
    ['that is a web page', async () => '<!doctype html><title>Sign in</title>'],
    ['that is empty', async () => ''],
  ])('%s', async (_, body) => {
    const context = new FakeContext(async () => new Response(await body()))
    await expect(opened(context).check(good, '')).rejects.toMatchObject({ reason: 'revocation_unavailable' })
    expect(context.reports).toHaveLength(1)
  })

  it.each<[string, (claims: Record<string, unknown>) => object]>([
    ['wrong issuer', (claims) => ({ ...claims, iss: 'http://evil.example.com', rules: [] })],
    ['future date', (claims) => ({ ...claims, iat: NOW + 1000, rules: [] })],
    ['unknown kind', (claims) => ({ ...claims, rules: [{ k: 'none', v: '*', x: X }] })],
    ['older seq', (claims) => ({ ...claims, iat: NOW - 5, seq: 0, rules: [] })],
  ])('after good ones, and takes back nothing: %s', async (_, tamper) => {
    const issuer = new ListIssuer()
    issuer.revoke({ k: 'cid', v: 'bad', x: X })
    const feed = opened(issuer.context)
    await feed.ready()
    await soon(() => expect(issuer.waiting).toBe(1))
    issuer.tamper = tamper
    issuer.release()
    await soon(() => expect(issuer.context.reports).not.toEqual([]))
    expect([feed.check(good, ''), feed.check(bad, '')]).toEqual(['active', 'revoked'])
    issuer.context.now += 61
    expect(feed.check(bad, '')).toBe('revoked')
    await expect(feed.check(good, '')).rejects.toMatchObject({ reason: 'revocation_unavailable' })
  })

  it.each<[string, object | undefined, string]>([
    ['is not advertised', {}, 'advertises no revocation_list_uri'],
    ['is advertised as something else', { revocation_list_uri: 7 }, 'must be an https URL'],
    ['is advertised without a scheme', { revocation_list_uri: '/list' }, 'must be an https URL'],
  ])('because it %s', async (_, advertises, problem) => {
    const context = new FakeContext()
    context.advertises = advertises
    await expect(opened(context).check(good, '')).rejects.toMatchObject({
      message: expect.stringContaining(problem),
    })
    expect(context.requests).toEqual([])
  })

  it('because an https issuer advertises it over http', async () => {
    const context = Object.assign(new FakeContext(), { issuer: 'https://as.example.com' })
    await expect(opened(context).check(good, '')).rejects.toMatchObject({
      message: expect.stringContaining('must be an https URL'),
    })
  })
})

describe('A bad answer over HTTP is ignored and reported', () => {
  async function over(handler: RequestListener) {
    const server = createServer(handler).listen(0, '127.0.0.1')
    closing.push({ close: () => void server.close().closeAllConnections() } as unknown as Server)
    await new Promise((resolve) => server.once('listening', resolve))
    const context = Object.assign(new FakeContext(), { fetch: globalThis.fetch })
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    return { feed: opened(context, `${origin}/list`), context, origin }
  }

  it('unlike a good one', async () => {
    const list = await sign(valid, 'revocation-list+jwt')
    const { feed } = await over((_, response) => response.end(list))
    expect(await feed.check(good, '')).toBe('active')
  })

  it('also compressed', async () => {
    const list = gzipSync(await sign(valid, 'revocation-list+jwt'))
    const { feed } = await over((_, response) => response.setHeader('content-encoding', 'gzip').end(list))
    expect(await feed.check(good, '')).toBe('active')
  })

  it.each<[string, RequestListener, string]>([
    [
      'of 60 MB',
      (_, response) => response.end(Buffer.alloc(60 * MEGABYTE, 'a')),
      `more than ${32 * MEGABYTE} bytes`,
    ],
    [
      'that unpacks to 1 GB',
      (_, response) => {
        const member = gzipSync(Buffer.alloc(16 * MEGABYTE))
        response.setHeader('content-encoding', 'gzip').end(Buffer.concat(Array(64).fill(member)))
      },
      `more than ${32 * MEGABYTE} bytes`,
    ],
    ['of 503', (_, response) => response.writeHead(503).end(), 'status 503'],
    ['of 204', (_, response) => response.writeHead(204).end(), 'status 204'],
    ['that breaks off', (_, response) => void response.write('ey', () => response.destroy()), 'broken off'],
  ])('%s', async (_, handler, problem) => {
    const { feed, context } = await over(handler)
    await expect(feed.check(good, '')).rejects.toMatchObject({ message: expect.stringContaining(problem) })
    expect(context.reports[0]).toContain(problem)
  })

  it('that redirects, and nothing follows it', async () => {
    const asked: (string | undefined)[] = []
    const list = await sign(valid, 'revocation-list+jwt')
    const { feed } = await over(({ url }, response) => {
      const { pathname } = new URL(url as string, 'http://h')
      asked.push(pathname)
      if (pathname === '/list') response.writeHead(302, { location: '/other' }).end()
      else response.end(list)
    })
    await expect(feed.check(good, '')).rejects.toMatchObject({
      message: expect.stringContaining('status 302'),
    })
    expect(new Set(asked)).toEqual(new Set(['/list']))
  })

  it('that never ends', async () => {
    let closed = 0
    const { feed, context } = await over((_, response) => {
      const drip = setInterval(() => response.write('a'), 20)
      response.on('close', () => {
        clearInterval(drip)
        closed++
      })
    })
    await expect(feed.check(good, '')).rejects.toMatchObject({
      message: expect.stringContaining('not loaded in time'),
    })
    await soon(() => expect(context.reports[0]).toContain('aborted due to timeout'))
    await soon(() => expect(closed).toBe(1))
  })
})
