import { createGuard, type Guard, type GuardRequest, type Verdict } from '@sharkguard/core'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseChallenges } from '../support/challenges.ts'
import { Exchange, generateKeyPair, sha256, sign } from '../support/exchange.ts'

/** Whatever comes, a guard answers: never an exception, never our fault, never anything but the grammar. */
let exchange: Exchange
let guard: Guard
let lenient: Guard

beforeAll(async () => {
  exchange = await Exchange.start()
  const options = { issuer: exchange.issuer, revocation: 'off' } as const
  guard = createGuard(exchange.resource, options)
  lenient = createGuard(exchange.resource, { ...options, dpop: 'when-bound', nonce: true })
  expect((await guard.verify(exchange.request())).ok).toBe(true)
})
afterAll(async () => {
  await guard.close()
  await lenient.close()
  await exchange.close()
})

function expectProper(verdict: Verdict): void {
  if (verdict.ok) throw new Error('allowed')
  expect([400, 401, 403]).toContain(verdict.status)
  expect(parseChallenges(verdict.headers['WWW-Authenticate'] as string).length).toBeGreaterThan(0)
  expect(JSON.parse(verdict.body)).toHaveProperty('error_description')
  for (const value of Object.values(verdict.headers)) expect(value).toMatch(/^[\x20-\x7e]*$/)
}

const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string(),
  fc.string({ unit: 'grapheme', maxLength: 300 }),
)
const scheme = fc.constantFrom('DPoP', 'dpop', 'Bearer', 'Basic', '', 'DPoP\t', 'Bearer  ')
const segment = fc.oneof(
  fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value)).toString('base64url')),
  fc.base64String().map((text) => text.replaceAll('=', '')),
  fc.constantFrom('', 'e30', 'AA', 'AAA', '.', 'eyJhbGciOiJub25lIn0'),
)
const jwtLike = fc.array(segment, { minLength: 1, maxLength: 6 }).map((parts) => parts.join('.'))
const credential = fc.tuple(scheme, fc.oneof(jwtLike, anyText)).map(([scheme, token]) => `${scheme} ${token}`)
const field = fc.tuple(
  fc.constantFrom('Authorization', 'authorization', 'DPoP', 'dpop', 'X-Other', 'Origin'),
  fc.oneof(credential, jwtLike, anyText),
)
const target = fc.oneof(
  fc.constantFrom('/mcp', '/mcp?x', '*', '', '//x', 'https://mcp.example.com/mcp', '/../mcp'),
  anyText,
  fc.webPath(),
)

describe('any request', () => {
  it('is refused properly by either guard, in any shape of headers', async () => {
    const request = fc.record({
      method: fc.oneof(fc.constantFrom('POST', 'GET'), anyText),
      url: target,
      fields: fc.array(field, { maxLength: 5 }),
    })
    await fc.assert(
      fc.asyncProperty(request, async ({ method, url, fields }) => {
        for (const headers of [
          fields,
          fields.flat(),
          Object.fromEntries(fields),
        ] as GuardRequest['headers'][]) {
          for (const each of [guard, lenient]) expectProper(await each.verify({ method, url, headers }))
        }
      }),
      { numRuns: 600 },
    )
  })

  it('with claims and headers of any types, rightly signed, is no fault of ours', async () => {
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 3 }),
      fc.constantFrom(0, -1, 1e300, '', null, [], {}, [null]),
    )
    const claim = fc.constantFrom(
      'iss',
      'sub',
      'aud',
      'exp',
      'iat',
      'nbf',
      'jti',
      'cnf',
      'act',
      'scope',
      'scp',
      'client_id',
      'azp',
      'gid',
      'nonce',
      'events',
      'token_type',
      'status',
    )
    const member = fc.constantFrom('typ', 'kid', 'crit', 'b64', 'cty', 'zip', 'jwk', 'x5c', 'enc')
    const changes = (name: fc.Arbitrary<string>) => fc.dictionary(name, value, { maxKeys: 3 })
    await fc.assert(
      fc.asyncProperty(changes(claim), changes(member), async (claims, header) => {
        const token = exchange.token({ claims, header })
        const verdict = await guard.verify(exchange.request({ token }))
        if (!verdict.ok) expectProper(verdict)
        else
          expect([
            typeof verdict.auth.subject,
            typeof verdict.auth.clientId,
            typeof verdict.auth.expiresAt,
          ]).toEqual(['string', 'string', 'number'])
      }),
      { numRuns: 400 },
    )
  })

  it('with a proof of any claims and header, rightly signed, is no fault of ours', async () => {
    const value = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom(0, -1, 1e300, '', null, [], {}))
    const claim = fc.constantFrom('jti', 'htm', 'htu', 'iat', 'ath', 'nonce', 'exp', 'nbf')
    const member = fc.constantFrom('typ', 'jwk', 'crit', 'b64', 'kid', 'cty')
    const key = fc.record(
      {
        kty: fc.constantFrom('EC', 'RSA', 'OKP', 'oct'),
        crv: fc.constantFrom('P-256', 'Ed25519', 'P-521', 'x'),
        x: fc.base64String(),
        y: fc.base64String(),
        n: fc.base64String(),
        e: fc.constantFrom('AQAB', 'AQ', ''),
      },
      { requiredKeys: ['kty'] },
    )
    const token = exchange.token()
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(claim, value, { maxKeys: 2 }),
        fc.oneof(fc.dictionary(member, value, { maxKeys: 2 }), fc.record({ jwk: key })),
        async (claims, header) => {
          const proof = exchange.proof(token, { claims, header })
          for (const each of [guard, lenient]) {
            const verdict = await each.verify(exchange.request({ token, proof }))
            if (!verdict.ok) expectProper(verdict)
          }
        },
      ),
      { numRuns: 400 },
    )
  })

  it('with a token bound to a key that is none, and a proof that shows it, is no fault of ours', async () => {
    const octets = fc
      .uint8Array({ minLength: 32, maxLength: 32 })
      .map((bytes) => Buffer.from(bytes).toString('base64url'))
    const modulus = fc
      .uint8Array({ minLength: 256, maxLength: 256 })
      .map((bytes) => Buffer.from(bytes).toString('base64url'))
    const bound = fc.oneof(
      fc
        .record({ x: octets, y: octets })
        .map(({ x, y }) => ({ alg: 'ES256', jwk: { crv: 'P-256', kty: 'EC', x, y } })),
      octets.map((x) => ({ alg: 'EdDSA', jwk: { crv: 'Ed25519', kty: 'OKP', x } })),
      modulus.map((n) => ({ alg: 'PS256', jwk: { e: 'AQAB', kty: 'RSA', n } })),
    )
    await fc.assert(
      fc.asyncProperty(bound, fc.uint8Array({ maxLength: 300 }), async ({ alg, jwk }, signature) => {
        const token = exchange.token({ claims: { cnf: { jkt: sha256(JSON.stringify(jwk)) } } })
        const proof = exchange.proof(token, { header: { alg, jwk } })
        const forged =
          proof.slice(0, proof.lastIndexOf('.') + 1) + Buffer.from(signature).toString('base64url')
        for (const text of [proof, forged])
          expectProper(await guard.verify(exchange.request({ token, proof: text })))
      }),
      { numRuns: 300 },
    )
  })
})

describe('a valid request with one thing changed', () => {
  const bit = fc.integer({ min: 0, max: 7 })
  const position = fc.nat({ max: 99_999 })
  const flip = (text: string, at: number, bit: number) => {
    const index = at % text.length
    return (
      text.slice(0, index) + String.fromCharCode(text.charCodeAt(index) ^ (1 << bit)) + text.slice(index + 1)
    )
  }

  it('is refused when any bit of its proof differs', async () => {
    const token = exchange.token()
    await fc.assert(
      fc.asyncProperty(position, bit, async (at, bit) => {
        const good = exchange.proof(token)
        expectProper(await guard.verify(exchange.request({ token, proof: flip(good, at, bit) })))
        expect((await guard.verify(exchange.request({ token, proof: good }))).ok).toBe(true)
      }),
      { numRuns: 400 },
    )
  })

  it('is refused when any bit of its token differs, with the old proof or one for that very text', async () => {
    const token = exchange.token()
    await fc.assert(
      fc.asyncProperty(position, bit, async (at, bit) => {
        const changed = flip(token, at, bit)
        expectProper(await guard.verify(exchange.request({ token: changed, proof: exchange.proof(token) })))
        const verdict = await guard.verify(exchange.request({ token: changed }))
        expectProper(verdict)
      }),
      { numRuns: 400 },
    )
  })

  it('is refused when a character is added to or taken from its token or proof', async () => {
    const token = exchange.token()
    await fc.assert(
      fc.asyncProperty(
        position,
        fc.constantFrom('A', '.', '=', '-', '\u0000', 'é', '"', ';', ''),
        async (at, char) => {
          const edit = (text: string) => {
            const index = at % text.length
            return text.slice(0, index) + char + text.slice(char === '' ? index + 1 : index)
          }
          expectProper(await guard.verify(exchange.request({ token, proof: edit(exchange.proof(token)) })))
          expectProper(await guard.verify(exchange.request({ token: edit(token) })))
        },
      ),
      { numRuns: 400 },
    )
  })

  it('is refused when a part of it is another’s', async () => {
    const token = exchange.token()
    const other = generateKeyPair('ES256', exchange.issuerKey.kid)
    const foreign = sign({ alg: 'ES256', typ: 'JWT', kid: other.kid }, { sub: 'x' }, other)
    await fc.assert(
      fc.asyncProperty(fc.subarray([0, 1, 2], { minLength: 1 }), fc.boolean(), async (parts, ofProof) => {
        const mix = (text: string, from: string) => {
          const [mine, theirs] = [text.split('.'), from.split('.')]
          for (const part of parts) mine[part] = theirs[part] as string
          return mine.join('.')
        }
        const proof = exchange.proof(token)
        const stranger = exchange.proof(token, { key: other, method: 'GET' })
        const request = ofProof
          ? exchange.request({ token, proof: mix(proof, stranger) })
          : exchange.request({ token: mix(token, foreign) })
        expectProper(await guard.verify(request))
      }),
      { numRuns: 60 },
    )
  })
})
