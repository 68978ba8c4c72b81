import { beforeEach, describe, expect, it } from 'vitest'
import { Exchange } from '../../../test/support/exchange.ts'
import { discoverMetadata, metadataUrls } from '../src/discovery.ts'
import { createGuard } from '../src/guard.ts'
import { Unavailable } from '../src/refusal.ts'
import { FakeIssuer, ISSUER, keyPair, published } from './support/fake-issuer.ts'

const A = keyPair('a')
const OAUTH = `${ISSUER}/.well-known/oauth-authorization-server`
const OIDC = `${ISSUER}/.well-known/openid-configuration`
const FALLBACK = `${ISSUER}/.well-known/jwks.json`
let issuer: FakeIssuer

beforeEach(() => {
  issuer = new FakeIssuer()
  issuer.answers.clear()
})

const jwks = (url: string) => issuer.answers.set(url, () => Response.json({ keys: [published(A)] }))
const metadata = (url: string, document: unknown, status = 200) =>
  issuer.answers.set(url, () => Response.json(document, { status }))
const kids = async () => (await issuer.keys().find('a', 'ES256')).map(({ id }) => id)

describe('metadataUrls', () => {
  it.each([
    [
      'https://as.example',
      [
        'https://as.example/.well-known/oauth-authorization-server',
        'https://as.example/.well-known/openid-configuration',
      ],
    ],
    [
      'https://as.example/',
      [
        'https://as.example/.well-known/oauth-authorization-server',
        'https://as.example/.well-known/openid-configuration',
      ],
    ],
    [
      'https://as.example/t/1',
      [
        'https://as.example/.well-known/oauth-authorization-server/t/1',
        'https://as.example/t/1/.well-known/openid-configuration',
      ],
    ],
  ])('of %s are inserted for RFC 8414 §3.1 and appended for OpenID [8414-3.1]', (identifier, urls) => {
    expect(metadataUrls(identifier)).toEqual(urls)
  })
})

describe('discovery', () => {
  it('asks RFC 8414 first and nothing else when that answers', async () => {
    metadata(OAUTH, { issuer: ISSUER, jwks_uri: `${ISSUER}/keys` })
    jwks(`${ISSUER}/keys`)
    expect(await kids()).toEqual(['a'])
    expect(issuer.requests).toEqual([OAUTH, `${ISSUER}/keys`])
  })

  it('asks OpenID Connect Discovery second', async () => {
    metadata(OIDC, { issuer: ISSUER, jwks_uri: `${ISSUER}/keys` })
    jwks(`${ISSUER}/keys`)
    expect(await kids()).toEqual(['a'])
    expect(issuer.requests).toEqual([OAUTH, OIDC, `${ISSUER}/keys`])
  })

  it('takes jwks.json where an issuer publishes no metadata', async () => {
    jwks(FALLBACK)
    expect(await kids()).toEqual(['a'])
    expect(issuer.requests).toEqual([OAUTH, OIDC, FALLBACK])
  })

  it('passes over a document that names no keys', async () => {
    metadata(OAUTH, { issuer: ISSUER })
    metadata(OIDC, { issuer: ISSUER, jwks_uri: `${ISSUER}/keys` })
    jwks(`${ISSUER}/keys`)
    expect(await kids()).toEqual(['a'])
  })

  it('asks for nothing where jwksUri is configured', async () => {
    jwks(`${ISSUER}/mine`)
    expect((await issuer.keys(`${ISSUER}/mine`).find('a', 'ES256')).length).toBe(1)
    expect(issuer.requests).toEqual([`${ISSUER}/mine`])
  })

  it('asks for the metadata again after a failure, in case it was what is wrong', async () => {
    metadata(OAUTH, { issuer: ISSUER, jwks_uri: `${ISSUER}/moved` })
    const keys = issuer.keys()
    await expect(keys.find('a', 'ES256')).rejects.toThrow(Unavailable)
    metadata(OAUTH, { issuer: ISSUER, jwks_uri: `${ISSUER}/keys` })
    jwks(`${ISSUER}/keys`)
    issuer.now += 1
    expect(await keys.find('a', 'ES256')).toHaveLength(1)
  })

  it('is done once for thirty that need it and remembered for a minute', async () => {
    metadata(OAUTH, { issuer: ISSUER, jwks_uri: `${ISSUER}/keys` })
    jwks(`${ISSUER}/keys`)
    const keys = issuer.keys()
    await Promise.all(Array.from({ length: 30 }, () => keys.metadata()))
    issuer.now += 59
    await keys.metadata()
    expect(issuer.requests).toEqual([OAUTH])
    issuer.now += 1
    await keys.metadata()
    expect(issuer.requests).toEqual([OAUTH, OAUTH])
    issuer.now -= 3600
    await keys.metadata()
    expect(issuer.requests).toEqual([OAUTH, OAUTH, OAUTH])
  })

  it.each([
    'https://evil.example',
    `${ISSUER}/`,
    ISSUER.toUpperCase(),
    `${ISSUER}:443`,
    `${ISSUER}.evil.example`,
    [ISSUER],
    undefined,
    null,
  ])('refuses a document of the issuer %j [8414-3.3]', async (other) => {
    metadata(OAUTH, { issuer: other, jwks_uri: `${ISSUER}/keys` })
    metadata(OIDC, { issuer: ISSUER, jwks_uri: `${ISSUER}/keys` })
    jwks(`${ISSUER}/keys`)
    await expect(kids()).rejects.toThrow(Unavailable)
    expect(issuer.requests).toEqual([OAUTH])
  })

  it.each([
    'http://as.example.com/keys',
    'http://localhost/keys',
    'file:///etc/keys',
    'data:application/json,{"keys":[]}',
    'ftp://as.example.com/keys',
    'javascript:0',
    '/keys',
    'keys',
    '//as.example.com/keys',
    '',
  ])('follows no jwks_uri of an https issuer to %j [8725-3.10]', async (jwks_uri) => {
    metadata(OAUTH, { issuer: ISSUER, jwks_uri })
    await expect(kids()).rejects.toThrow(Unavailable)
    expect(issuer.requests).toEqual([OAUTH])
  })

  it('follows jwks_uri to another https host, which large issuers use, and to http from http', async () => {
    metadata(OAUTH, { issuer: ISSUER, jwks_uri: 'https://keys.example.net/k' })
    await expect(discoverMetadata(ISSUER, issuer.fetch as typeof fetch)).resolves.toMatchObject({
      jwks_uri: 'https://keys.example.net/k',
    })
    const local = 'http://localhost:1'
    metadata(`${local}/.well-known/oauth-authorization-server`, { issuer: local, jwks_uri: `${local}/k` })
    await expect(discoverMetadata(local, issuer.fetch as typeof fetch)).resolves.toBeDefined()
  })

  it.each([
    ['an error of the server', () => new Response('{}', { status: 500 })],
    ['too slow', () => new Response('{}', { status: 408 })],
    ['too often', () => new Response('{}', { status: 429 })],
    ['a redirect', () => new Response(null, { status: 302, headers: { location: 'https://evil.example' } })],
    ['HTML', () => new Response('<!doctype html>')],
    ['half a document', () => new Response('{"issuer":"https://as.exam')],
    ['an array', () => new Response('[]')],
    ['null', () => new Response('null')],
    ['nothing', () => new Response('')],
    ['no answer', () => Promise.reject(new TypeError('fetch failed'))],
    ['more than 256 KB', () => new Response(JSON.stringify({ issuer: ISSUER, x: 'x'.repeat(300_000) }))],
  ])('does not take %s for an issuer without metadata', async (_, answer) => {
    issuer.answers.set(OAUTH, answer)
    jwks(FALLBACK)
    await expect(kids()).rejects.toThrow(Unavailable)
    expect(issuer.requests).toEqual([OAUTH])
  })

  it('does not make up keys where metadata was and fails now', async () => {
    metadata(OAUTH, { issuer: ISSUER, jwks_uri: `${ISSUER}/keys` })
    jwks(`${ISSUER}/keys`)
    const keys = issuer.keys()
    await keys.metadata()
    metadata(OAUTH, {}, 404)
    issuer.now += 4000
    await expect(keys.metadata()).resolves.toMatchObject({ jwks_uri: `${ISSUER}/keys` })
    issuer.goDown()
    issuer.now += 4000
    await expect(keys.metadata()).resolves.toMatchObject({ jwks_uri: `${ISSUER}/keys` })
    const asked = issuer.requests.length
    await keys.metadata()
    expect(issuer.requests).toHaveLength(asked)
  })
})

it('a guard notices within a minute that revocations are advertised, also where there was no metadata', async () => {
  const exchange = await Exchange.start()
  let now = Math.floor(Date.now() / 1000)
  exchange.now = () => now
  const [document, keys] = [OAUTH, '/jwks'].map((url) => exchange.answers.get(url.replace(ISSUER, '')))
  exchange.answers.delete(OAUTH.replace(ISSUER, ''))
  exchange.answers.set(FALLBACK.replace(ISSUER, ''), keys!)
  const guard = createGuard(exchange.resource, { issuer: exchange.issuer, clock: exchange.now })
  expect((await guard.verify(exchange.request())).ok).toBe(true)
  const advertised = { ...JSON.parse(String(document!.body)), revocation_list_uri: `${exchange.issuer}/none` }
  exchange.answers.set(OAUTH.replace(ISSUER, ''), { body: JSON.stringify(advertised) })
  expect((await guard.verify(exchange.request())).ok).toBe(true)
  now += 60
  expect(await guard.verify(exchange.request())).toMatchObject({ reason: 'revocation_unavailable' })
  await guard.close()
  await exchange.close()
})
