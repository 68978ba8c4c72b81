import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseChallenges } from '../support/challenges.ts'
import type { Exchange } from '../support/exchange.ts'
import { expectRefusal, Siege } from '../support/siege.ts'

/** The attacker has a good token with too little scope, or with one that reads like more. */
let siege: Siege
let exchange: Exchange

beforeAll(async () => {
  siege = await Siege.start({ scopes: ['mcp:read', 'mcp:write'] })
  exchange = siege.exchange
})
afterAll(() => siege.close())

describe('a token with the scope', () => {
  it.each([
    '',
    'mcp:read',
    'mcp:write',
    'mcp',
    'mcp:*',
    '*',
    'MCP:READ MCP:WRITE',
    'mcp:readmcp:write',
    'mcp:read:x mcp:write:x',
    'xmcp:read xmcp:write',
    'mcp:read;mcp:write',
    'admin openid',
  ])(
    '%j has too little: 403, naming all that is needed [6750-3.1-status] [6750-3.1-scope] [MCP-R5] [MCP-R18] [MCP-R20] [9700-2.3-privileges]',
    async (scope) => {
      const request = siege.withToken({ claims: { scope } })
      await siege.refuses(request, 'insufficient_scope')
      const verdict = await siege.guard.verify(request)
      if (verdict.ok) throw new Error('allowed')
      const [challenge] = parseChallenges(verdict.headers['WWW-Authenticate'] as string)
      expect(challenge?.parameters).toMatchObject({
        error: 'insufficient_scope',
        scope: 'mcp:read mcp:write',
      })
      expect(challenge?.parameters.resource_metadata).toBe(siege.guard.resourceMetadataUrl)
    },
  )

  it.each([undefined, 'a mcp:write b mcp:read', 'mcp:read  mcp:write', ' mcp:read mcp:write '])(
    '%j has enough or not',
    async (scope) => {
      const request = siege.withToken({ claims: { scope } })
      if (scope === undefined) await siege.refuses(request, 'insufficient_scope')
      else await siege.allows(request)
    },
  )

  it.each(
    [
      ['mcp:read', 'mcp:write'],
      { 'mcp:read': true, 'mcp:write': true },
      true,
      5,
      null,
      'mcp:read\tmcp:write',
      'mcp:read\nmcp:write',
      'mcp:read "mcp:write"',
    ].map((scope) => [scope]),
  )('%j is none: 401 [8693-4.2]', async (scope) => {
    await siege.refuses(siege.withToken({ claims: { scope } }), 'token_claims_invalid')
  })

  it.each(['scopes', 'permissions', 'roles', 'SCOPE', 'authorities'])(
    'in another claim, %s, has none',
    async (name) => {
      const claims = { scope: undefined, [name]: 'mcp:read mcp:write' }
      await siege.refuses(siege.withToken({ claims }), 'insufficient_scope')
    },
  )

  it('and expired is a 401: what is bad altogether is not called too little', async () => {
    const exp = Math.floor(exchange.now()) - 1
    await siege.refuses(siege.withToken({ claims: { scope: '', exp } }), 'token_expired')
  })

  it('and a bad proof is a 401', async () => {
    const token = exchange.token({ claims: { scope: '' } })
    const proof = exchange.proof(token, { method: 'GET' })
    await siege.refuses(exchange.request({ token, proof }), 'proof_method_mismatch')
  })
})

describe('insufficientScope', () => {
  it('answers in the scheme that was used, with the scopes of the operation [MCP-R19]', async () => {
    const lenient = siege.beside({ dpop: 'when-bound' })
    const request = exchange.request()
    const dpop = await lenient.guard.verify(request)
    const unbound = exchange.request({
      token: exchange.token({ claims: { cnf: undefined } }),
      scheme: 'Bearer',
    })
    const bearer = await lenient.guard.verify(unbound)
    if (!dpop.ok || !bearer.ok) throw new Error('refused')
    const expected = { status: 403, error: 'insufficient_scope' }
    expectRefusal(lenient.guard.insufficientScope(dpop.auth, ['a', 'b']), request, expected)
    const refused = lenient.guard.insufficientScope(bearer.auth, ['a', 'b'])
    expectRefusal(refused, unbound, { ...expected, scheme: 'Bearer' })
    const [first] = parseChallenges(refused.headers['WWW-Authenticate'] as string)
    expect(first).toMatchObject({ scheme: 'Bearer', parameters: { scope: 'a b' } })
  })
})

describe('what is handed to the handler', () => {
  it('is its own: what one request does to it the next does not see', async () => {
    const token = exchange.token()
    const ask = async () => {
      const verdict = await siege.guard.verify(exchange.request({ token }))
      if (!verdict.ok) throw new Error(verdict.reason)
      return verdict.auth
    }
    const first = await ask()
    first.scopes.push('admin')
    first.extra.admin = true
    first.resource.pathname = '/other'
    expect(() => Object.assign(first.claims, { scope: 'admin' })).toThrow(TypeError)
    expect(() => (first.delegationChain as unknown[]).push({ sub: 'x' })).toThrow(TypeError)
    const second = await ask()
    expect(second.scopes).toEqual(['mcp:read', 'mcp:write'])
    expect(second.hasScope('admin')).toBe(false)
    expect(second.extra.admin).toBeUndefined()
    expect(second.resource.href).toBe(exchange.resource)
  })
})
