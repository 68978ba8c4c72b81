import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Exchange, generateKeyPair } from '../../../test/support/exchange.ts'
import {
  ConfigurationError,
  type DecodeAgentTokenOptions,
  decodeAgentToken,
  TokenError,
  Unavailable,
} from '../src/index.ts'

let exchange: Exchange
let options: DecodeAgentTokenOptions

beforeAll(async () => {
  exchange = await Exchange.start()
  options = {
    jwksUrl: `${exchange.issuer}/jwks`,
    expectedIssuer: exchange.issuer,
    expectedAudience: exchange.resource,
  }
})
afterAll(() => exchange.close())

async function reasonOf(token: unknown, changes: Partial<DecodeAgentTokenOptions> = {}): Promise<string> {
  try {
    await decodeAgentToken(token as string, { ...options, ...changes })
    return 'accepted'
  } catch (error) {
    expect(error).toBeInstanceOf(TokenError)
    return (error as TokenError).reason
  }
}

describe('decodeAgentToken', () => {
  it('says what the token says', async () => {
    const act = { sub: 'outer', act: { sub: 'inner' } }
    const token = exchange.token({ claims: { act, agent_id: 'agent_7', tenant: 't' } })
    const claims = await decodeAgentToken(token, options)
    expect(claims).toMatchObject({
      sub: 'agent-1',
      iss: exchange.issuer,
      aud: exchange.resource,
      scope: 'mcp:read mcp:write',
      clientId: 'agent-1',
      agentId: 'agent_7',
      act,
      cnf: { jkt: exchange.agentKey.jkt },
      jkt: exchange.agentKey.jkt,
      raw: { tenant: 't' },
    })
    expect(claims.exp - claims.iat).toBe(300)
    expect(claims.delegationChain().map(({ sub }) => sub)).toEqual(['outer', 'inner'])
    expect(claims.isDelegated()).toBe(true)
    expect([claims.hasScope('mcp:read'), claims.hasScope('mcp')]).toEqual([true, false])
    expect(Object.isFrozen(claims.raw)).toBe(true)
  })

  it('reads a bearer token that delegates nothing', async () => {
    const claims = await decodeAgentToken(
      exchange.token({ claims: { cnf: undefined, scope: undefined } }),
      options,
    )
    expect([claims.cnf, claims.jkt, claims.scope, claims.isDelegated()]).toEqual([
      undefined,
      undefined,
      '',
      false,
    ])
  })

  it('fetches the keys of one issuer once for all calls, and discovers nothing', async () => {
    const before = exchange.requests.length
    await Promise.all(Array.from({ length: 9 }, () => decodeAgentToken(exchange.token(), { ...options })))
    expect(exchange.requests.slice(before)).toEqual([])
    expect(exchange.requests.filter((path) => path.includes('well-known'))).toEqual([])
  })

  const now = () => Math.floor(exchange.now())
  it.each([
    ['token_malformed', () => 'x.y.z'],
    ['token_malformed', () => ''],
    ['token_malformed', () => undefined],
    ['token_malformed', () => null],
    ['token_malformed', () => 5],
    ['token_malformed', () => `DPoP ${exchange.token()}`],
    ['token_type_unsupported', () => exchange.token({ header: { typ: 'dpop+jwt' } })],
    ['token_algorithm_unsupported', () => exchange.token({ header: { alg: 'HS256' } })],
    ['token_issuer_unknown', () => exchange.token({ claims: { iss: 'https://evil.example' } })],
    ['token_key_unknown', () => exchange.token({ header: { kid: 'other' } })],
    ['token_signature_invalid', () => exchange.token({ key: generateKeyPair('ES256', 'issuer-key') })],
    ['token_claims_invalid', () => exchange.token({ claims: { sub: undefined } })],
    ['audience_mismatch', () => exchange.token({ claims: { aud: 'https://other.example' } })],
    ['token_expired', () => exchange.token({ claims: { exp: now() - 1 } })],
    ['token_not_yet_valid', () => exchange.token({ claims: { nbf: now() + 60 } })],
  ])('throws TokenError %s', async (reason, token) => {
    expect(await reasonOf(exchange.token())).toBe('accepted')
    expect(await reasonOf(token())).toBe(reason)
  })

  it('keeps issuers and audiences apart that share a key set', async () => {
    const token = exchange.token()
    expect(await reasonOf(token)).toBe('accepted')
    expect(await reasonOf(token, { expectedAudience: `${exchange.resource}/` })).toBe('audience_mismatch')
    expect(await reasonOf(token, { expectedIssuer: `${exchange.issuer}/` })).toBe('token_issuer_unknown')
  })

  it('throws Unavailable, which is no TokenError, when the keys cannot be had', async () => {
    const jwksUrl = `${exchange.issuer}/nothing-here`
    await expect(decodeAgentToken(exchange.token(), { ...options, jwksUrl })).rejects.toThrow(Unavailable)
  })

  it('takes a clock in milliseconds for what it is', async () => {
    const clock = () => exchange.now() * 1000
    expect(await reasonOf(exchange.token(), { clock })).toBe('accepted')
    expect(await reasonOf(exchange.token({ claims: { exp: now() - 1 } }), { clock })).toBe('token_expired')
  })

  it('grants leeway to iat and nbf, none to exp', async () => {
    const clock = () => exchange.now()
    const ahead = exchange.token({ claims: { nbf: now() + 30 } })
    expect(await reasonOf(ahead, { clock, leeway: 60 })).toBe('accepted')
    expect(await reasonOf(exchange.token({ claims: { exp: now() - 1 } }), { clock, leeway: 60 })).toBe(
      'token_expired',
    )
  })

  it.each([
    ['jwksUrl', ''],
    ['jwksUrl', 'keys.json'],
    ['jwksUrl', 'file:///etc/keys'],
    ['jwksUrl', undefined],
    ['expectedIssuer', ''],
    ['expectedIssuer', undefined],
    ['expectedAudience', ''],
    ['expectedAudience', undefined],
    ['expectedAudience', ['a']],
    ['leeway', Number.NaN],
    ['leeway', -1],
    ['leeway', Number.POSITIVE_INFINITY],
    ['clock', 5],
  ])('throws ConfigurationError naming %s when it is %j', async (option, value) => {
    const call = decodeAgentToken(exchange.token(), { ...options, [option]: value } as never)
    const error: unknown = await call.catch((error: unknown) => error)
    expect(error).toBeInstanceOf(ConfigurationError)
    expect((error as ConfigurationError).option).toBe(option)
  })
})
