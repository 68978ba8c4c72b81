import { createGuard } from '@sharkguard/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Exchange, generateKeyPair } from '../support/exchange.ts'
import { Siege } from '../support/siege.ts'

/** One of several issuers that are trusted, or one that is not, speaks for another. */
let a: Exchange
let b: Exchange
let siege: Siege

beforeAll(async () => {
  a = await Exchange.start()
  b = await Exchange.start()
  siege = await Siege.start({ issuer: [a.issuer, { issuer: b.issuer, profile: 'rfc9068' }] }, a)
})
afterAll(async () => {
  await siege.close()
  await b.close()
})

describe('two trusted issuers whose keys have one kid', () => {
  it('are both trusted for their own tokens [9068-4-iss] [8725-3.8]', async () => {
    expect(a.issuerKey.kid).toBe(b.issuerKey.kid)
    await siege.allows(a.request())
    await siege.allows(b.request())
  })

  it('are not trusted for one another’s, before or after either was cached', async () => {
    for (let round = 0; round < 2; round++) {
      const token = a.token({ claims: { iss: b.issuer } })
      await siege.refuses(a.request({ token }), 'token_signature_invalid')
      const reverse = b.token({ claims: { iss: a.issuer } })
      await siege.refuses(b.request({ token: reverse }), 'token_signature_invalid')
    }
  })

  it('each have their own profile', async () => {
    await siege.allows(a.request({ token: a.token({ header: { typ: 'JWT' } }) }))
    await siege.refuses(b.request({ token: b.token({ header: { typ: 'JWT' } }) }), 'token_type_unsupported')
  })

  it('may have subjects of one name, whom the handler can tell apart', async () => {
    const verdicts = [await siege.guard.verify(a.request()), await siege.guard.verify(b.request())]
    expect(verdicts.map((verdict) => verdict.ok && [verdict.auth.issuer, verdict.auth.subject])).toEqual([
      [a.issuer, 'agent-1'],
      [b.issuer, 'agent-1'],
    ])
  })

  it('share no replay memory that one could use to burn the other’s proofs, for their keys differ', async () => {
    const claims = { jti: 'same' }
    const ta = a.token()
    const tb = b.token()
    await siege.allows(a.request({ token: ta, proof: a.proof(ta, { claims }) }))
    await siege.allows(b.request({ token: tb, proof: b.proof(tb, { claims }) }))
  })
})

describe('an issuer that nobody trusts', () => {
  it('is not asked for anything [8725-3.10]', async () => {
    const evil = await Exchange.start()
    await siege.refuses(evil.request(), 'token_issuer_unknown')
    expect(evil.requests).toEqual([])
    await evil.close()
  })

  it.each([
    (issuer: string) => `${issuer}/`,
    (issuer: string) => `${issuer}.evil.example`,
    (issuer: string) => issuer.replace('127.0.0.1', 'localhost'),
    (issuer: string) => issuer.replace('http', 'HTTP'),
    (issuer: string) => issuer.slice(0, -1),
    (issuer: string) => `${issuer}/.well-known/../`,
    (issuer: string) => [issuer],
    (issuer: string) => ({ toString: issuer }),
    () => null,
    () => undefined,
    () => '',
  ])('is every spelling but the configured one: %s [9068-4-iss]', async (spell) => {
    await siege.refuses(siege.withToken({ claims: { iss: spell(a.issuer) } }), 'token_issuer_unknown')
  })
})

describe('metadata of another issuer', () => {
  it('is not used, though its keys would verify the token [8414-3.3]', async () => {
    const c = await Exchange.start()
    c.answers.set('/.well-known/oauth-authorization-server', {
      body: JSON.stringify({ issuer: 'https://honest.example', jwks_uri: `${c.issuer}/jwks` }),
    })
    const guard = createGuard(c.resource, { issuer: c.issuer, revocation: 'off' })
    expect(await guard.verify(c.request())).toMatchObject({
      ok: false,
      reason: 'keys_unavailable',
      status: 503,
    })
    expect(c.requests).not.toContain('/jwks')
    await guard.close()
    await c.close()
  })

  it('is not followed to where it redirects', async () => {
    const c = await Exchange.start()
    c.answers.set('/jwks', { status: 302, headers: { location: `${a.issuer}/jwks` }, body: '' })
    const before = a.requests.length
    const guard = createGuard(c.resource, { issuer: c.issuer, revocation: 'off' })
    const token = c.token({ key: a.issuerKey })
    expect(await guard.verify(c.request({ token }))).toMatchObject({ ok: false, reason: 'keys_unavailable' })
    expect(a.requests.length).toBe(before)
    await guard.close()
    await c.close()
  })
})

it('a token of an issuer by a key of nobody is refused', async () => {
  const key = generateKeyPair('ES256', a.issuerKey.kid)
  await siege.refuses(siege.withToken({ key }), 'token_signature_invalid')
})
