import { deflateSync } from 'node:zlib'
import { createGuard } from '@sharkguard/core'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { discoverMetadata } from '../../packages/core/src/discovery.ts'
import { FetchFailure } from '../../packages/core/src/fetch-json.ts'
import { IssuerKeys, KEY_LIMITS } from '../../packages/core/src/keys.ts'
import { Unavailable } from '../../packages/core/src/refusal.ts'
import { parseStatusList, readStatus } from '../../packages/core/src/revocation/status-list-token.ts'
import { Exchange, generateKeyPair } from '../support/exchange.ts'

/** Documents that an issuer publishes: whatever is in them, they are understood or they are not had. */
const ISSUER = 'https://as.example'
const answering = (body: string) => async () => new Response(body)
const json = fc.oneof(fc.json({ maxDepth: 3 }), fc.string(), fc.constantFrom('', 'null', '[]', '{"keys":[]}'))

describe('metadata', () => {
  const member = fc.constantFrom('issuer', 'jwks_uri', 'revocation_list_uri', 'x')
  const value = fc.oneof(
    fc.constantFrom(
      ISSUER,
      `${ISSUER}/`,
      'https://keys.example/jwks',
      'http://as.example/jwks',
      'javascript:0',
    ),
    fc.jsonValue({ maxDepth: 1 }),
    fc.webUrl(),
  )
  const document = fc.oneof(
    fc.dictionary(member, value).map((object) => JSON.stringify(object)),
    json,
  )

  it('of any content is that of this issuer, with keys over https, or is not had', async () => {
    await fc.assert(
      fc.asyncProperty(document, async (text) => {
        try {
          const metadata = await discoverMetadata(ISSUER, answering(text))
          expect(metadata.issuer).toBe(ISSUER)
          expect(metadata.jwks_uri).toMatch(/^https:/)
        } catch (error) {
          expect(error).toBeInstanceOf(FetchFailure)
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe('a key set', () => {
  const good = ['ES256', 'EdDSA', 'ES384'].map((alg, i) => {
    const { publicJwk } = generateKeyPair(alg)
    return { ...publicJwk, kid: `good-${i}`, alg }
  })
  const member = fc.constantFrom('kty', 'crv', 'x', 'y', 'n', 'e', 'd', 'k', 'kid', 'alg', 'use', 'key_ops')
  const value = fc.oneof(
    fc.constantFrom('EC', 'OKP', 'RSA', 'oct', 'P-256', 'Ed25519', 'sig', 'enc', 'ES256', ''),
    fc.base64String(),
    fc.jsonValue({ maxDepth: 1 }),
  )
  const bad = fc.oneof(fc.dictionary(member, value), fc.jsonValue({ maxDepth: 2 }))
  const source = (body: string) => ({
    issuer: ISSUER,
    jwksUri: `${ISSUER}/jwks`,
    fetch: answering(body),
    clock: () => 1_900_000_000,
  })

  it('with anything among its good keys still has the good ones', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(bad, { maxLength: 5 }), fc.nat(2), async (others, which) => {
        const chosen = good[which] as (typeof good)[number]
        const keys = new IssuerKeys(source(JSON.stringify({ keys: [...others, chosen] })))
        const found = await keys.find(chosen.kid, chosen.alg as 'ES256')
        expect(found.map(({ id }) => id)).toContain(chosen.kid)
      }),
      { numRuns: 400 },
    )
  })

  it('of any content is a few keys or none, and nothing else is thrown', async () => {
    const keySet = fc.oneof(
      fc.array(bad).map((keys) => JSON.stringify({ keys })),
      json,
    )
    await fc.assert(
      fc.asyncProperty(keySet, fc.constantFrom('ES256', 'RS256', 'EdDSA'), async (text, alg) => {
        try {
          const found = await new IssuerKeys(source(text)).find(undefined, alg as 'ES256')
          expect(found.length).toBeLessThanOrEqual(KEY_LIMITS.maxCandidates)
        } catch (error) {
          expect(error).toBeInstanceOf(Unavailable)
        }
      }),
      { numRuns: 400 },
    )
  })
})

describe('a status list', () => {
  const expected = { uri: `${ISSUER}/lists/1`, issuer: ISSUER, now: 1_900_000_000 }
  const claims = (bits: number, bytes: Uint8Array) => ({
    sub: expected.uri,
    iat: expected.now,
    status_list: { bits, lst: deflateSync(bytes).toString('base64url') },
  })
  const statuses = fc
    .constantFrom(1, 2, 4, 8)
    .chain((bits) =>
      fc.tuple(fc.constant(bits), fc.array(fc.nat(2 ** bits - 1), { minLength: 1, maxLength: 60 })),
    )

  it('says of each index what was put there, and of every other that it is revoked', async () => {
    await fc.assert(
      fc.asyncProperty(statuses, async ([bits, values]) => {
        const perByte = 8 / bits
        const bytes = new Uint8Array(Math.ceil(values.length / perByte))
        for (const [i, value] of values.entries()) {
          const at = Math.floor(i / perByte)
          bytes[at] = (bytes[at] as number) | (value << ((i % perByte) * bits))
        }
        const list = await parseStatusList(claims(bits, bytes), expected)
        for (const [i, value] of values.entries()) {
          expect(readStatus(list, i)).toBe(value === 0 ? 'active' : 'revoked')
        }
        for (const beyond of [bytes.length * perByte, bytes.length * perByte + 1, 2 ** 31, 2 ** 53]) {
          expect(readStatus(list, beyond)).toBe('revoked')
        }
      }),
    )
  })

  it('of any content is read or is a TypeError', async () => {
    const lst = fc.oneof(
      fc.base64String().map((text) => text.replace(/=+$/, '')),
      fc.uint8Array().map((bytes) => deflateSync(bytes).subarray(0, -1).toString('base64url')),
      fc.jsonValue({ maxDepth: 1 }),
    )
    const changes = fc.record(
      {
        sub: fc.jsonValue(),
        iat: fc.jsonValue(),
        exp: fc.jsonValue(),
        ttl: fc.jsonValue(),
        bits: fc.jsonValue(),
        lst,
      },
      { requiredKeys: [] },
    )
    await fc.assert(
      fc.asyncProperty(changes, async ({ bits = 1, lst, ...rest }) => {
        const good = claims(1, Uint8Array.of(1))
        const list = { ...good.status_list, bits, ...(lst === undefined ? {} : { lst }) }
        try {
          await parseStatusList({ ...good, ...rest, status_list: list } as never, expected)
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError)
        }
      }),
      { numRuns: 300 },
    )
  })
})

describe('what a guard publishes', () => {
  let exchange: Exchange
  beforeAll(async () => {
    exchange = await Exchange.start()
  })
  afterAll(() => exchange.close())

  it('is metadata of its own resource, whatever the path of that is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.webUrl({ withQueryParameters: false }), async (url) => {
        const resource = url.replace(/^http:/, 'https:')
        const guard = createGuard(resource, { issuer: exchange.issuer, revocation: 'off' })
        const path = new URL(guard.resourceMetadataUrl).pathname
        const answer = guard.metadataAnswer({ method: 'GET', url: path, headers: [] })
        expect(JSON.parse(answer?.body as string)).toMatchObject({ resource })
        expect(new URL(guard.resourceMetadataUrl).origin).toBe(new URL(resource).origin)
        await guard.close()
      }),
      { numRuns: 40 },
    )
  })
})
