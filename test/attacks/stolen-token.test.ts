import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Exchange, generateKeyPair } from '../support/exchange.ts'
import { Siege } from '../support/siege.ts'

/** The attacker has the token, from a log or a proxy, and not the key. */
let siege: Siege
let lenient: Siege
let exchange: Exchange

beforeAll(async () => {
  siege = await Siege.start()
  exchange = siege.exchange
  lenient = siege.beside({ dpop: 'when-bound' })
})
afterAll(async () => {
  await lenient.guard.close()
  await siege.close()
})

describe.each(['required', 'when-bound'])('a stolen token, with dpop %s,', (dpop) => {
  const guarded = () => (dpop === 'required' ? siege : lenient)
  const scheme = (used: 'Bearer' | 'DPoP') => (dpop === 'required' ? 'DPoP' : used)

  it.each([
    ['Bearer', 'scheme_mismatch'],
    ['bearer', 'scheme_mismatch'],
    ['BEARER', 'scheme_mismatch'],
  ] as const)('sent as %s is refused [9449-7.2-downgrade] [SEP-D5]', async (used, reason) => {
    const token = exchange.token()
    const headers: [string, string][] = [['authorization', `${used} ${token}`]]
    await guarded().refuses({ method: 'POST', url: '/mcp', headers }, reason, { scheme: scheme('Bearer') })
    headers.push(['dpop', exchange.proof(token)])
    await guarded().refuses({ method: 'POST', url: '/mcp', headers }, reason, { scheme: scheme('Bearer') })
  })

  it.each([
    ['no proof', []],
    ['an empty proof', [['dpop', '']]],
  ] as const)('with %s is refused [9449-7.1-both]', async (_, dpop) => {
    const headers = [['authorization', `DPoP ${exchange.token()}`] as const, ...dpop]
    await guarded().refuses({ method: 'POST', url: '/mcp', headers }, 'proof_missing')
  })

  it('with a proof of the attacker’s own key is refused [9449-4.3-12b] [9700-4.10.1]', async () => {
    const token = exchange.token()
    const proof = exchange.proof(token, { key: generateKeyPair() })
    await guarded().refuses(exchange.request({ token, proof }), 'proof_key_mismatch')
  })

  it('with a scheme of the attacker’s own is no credential', async () => {
    const request = exchange.request({ scheme: 'Token' })
    await guarded().refuses(request, 'credentials_missing', { scheme: scheme('Bearer') })
  })
})

describe('a token without a key', () => {
  const unbound = () => exchange.token({ claims: { cnf: undefined } })

  it('passes as Bearer only where that is configured [9700-2.2.1]', async () => {
    const request = exchange.request({ token: unbound(), scheme: 'Bearer' })
    await lenient.allows({ ...request, headers: request.headers.slice(0, 1) })
    await siege.refuses({ ...request, headers: request.headers.slice(0, 1) }, 'token_not_bound')
  })

  it('is not taken under DPoP, proof or no proof, since it proves nothing', async () => {
    for (const guarded of [siege, lenient]) {
      await guarded.refuses(exchange.request({ token: unbound() }), 'token_not_bound')
    }
  })

  it('leaves a proof beside it unread and unclaimed', async () => {
    const before = lenient.claims.length
    await lenient.allows(exchange.request({ token: unbound(), scheme: 'Bearer', proof: 'not.a.proof' }))
    expect(lenient.claims).toHaveLength(before)
  })
})

describe('what a handler learns', () => {
  it('has no cnf for a bearer token, so that nobody takes it for proven', async () => {
    const request = exchange.request({
      token: exchange.token({ claims: { cnf: undefined } }),
      scheme: 'Bearer',
    })
    const verdict = await lenient.guard.verify(request)
    expect(verdict.ok && 'cnf' in verdict.auth).toBe(false)
    const bound = await lenient.guard.verify(exchange.request())
    expect(bound.ok && bound.auth.cnf).toEqual({ jkt: exchange.agentKey.jkt })
  })
})

describe('a token that was let in a moment ago', () => {
  it('still has to come with its proof, in time, for this resource, with these scopes', async () => {
    const token = exchange.token({ claims: { scope: 'mcp:read' } })
    const [authorization, dpop] = exchange.request({ token }).headers as [[string, string], [string, string]]
    await siege.allows({ ...exchange.request(), headers: [authorization, dpop] })
    const again = (headers: [string, string][]) => ({ ...exchange.request(), headers })
    await siege.refuses(again([authorization]), 'proof_missing')
    await siege.refuses(again([authorization, dpop]), 'proof_replayed')
    await siege.refuses(again([['authorization', `Bearer ${token}`]]), 'scheme_mismatch')
    const stranger = exchange.proof(token, { key: generateKeyPair() })
    await siege.refuses(exchange.request({ token, proof: stranger }), 'proof_key_mismatch')
    const narrower = siege.beside({ scopes: ['mcp:write'] })
    const verdict = await narrower.guard.verify(exchange.request({ token }))
    expect(verdict).toMatchObject({ ok: false, reason: 'insufficient_scope' })
    await narrower.guard.close()
  })
})
