import { afterAll, beforeAll, describe, it } from 'vitest'
import { type Exchange, generateKeyPair, sha256 } from '../support/exchange.ts'
import { Siege } from '../support/siege.ts'

/** The attacker has proofs of the right key that were made for something else. */
let siege: Siege
let exchange: Exchange

beforeAll(async () => {
  siege = await Siege.start()
  exchange = siege.exchange
})
afterAll(() => siege.close())

describe('a proof for another URL', () => {
  it.each([
    'https://mcp.example.com/',
    'https://mcp.example.com/mcp/',
    'https://mcp.example.com/mcp/admin',
    'https://mcp.example.com/MCP',
    'https://mcp.example.com/mcp%2F',
    'https://mcp.example.com//mcp',
    'https://mcp.example.com/mcp;admin=1',
    'https://mcp.example.com:8443/mcp',
    'http://mcp.example.com/mcp',
    'https://mcp.example.com.evil.example/mcp',
    'https://evil.example/mcp',
    'https://mcp.example.com@evil.example/mcp',
    'https://user@mcp.example.com/mcp',
    'https://mcp.example.com\\mcp',
    'https:mcp.example.com/mcp',
    '//mcp.example.com/mcp',
    '/mcp',
    'mcp',
    ' https://mcp.example.com/mcp',
    'https://mcp.example.com/mcp\n',
    '',
  ])('%j is refused [9449-4.3-9]', async (url) => {
    await siege.refuses(siege.withProof({ url }), 'proof_target_mismatch')
  })

  it.each([
    'https://mcp.example.com/mcp?a=b',
    'https://mcp.example.com:443/mcp',
    'HTTPS://MCP.example.com/%6dcp',
  ])('%s is the same URL [9449-4.3-9]', async (url) => {
    await siege.allows(siege.withProof({ url }))
  })

  it('does not open the path that its dot segments lead to, for a router that does not resolve them', async () => {
    const token = exchange.token()
    const proof = exchange.proof(token, { url: 'https://mcp.example.com/public' })
    await siege.allows(exchange.request({ token, proof, url: '/public' }))
    for (const url of ['/mcp/../public', '/mcp/%2e%2e/public', '/./public', '/mcp\\..\\public']) {
      const proof = exchange.proof(token, { url: 'https://mcp.example.com/public' })
      await siege.refuses(exchange.request({ token, proof, url }), 'target_ambiguous')
    }
  })

  it('is one with the prefix that the proxy strips, where it does', async () => {
    const behind = siege.beside({ publicUrl: 'https://mcp.example.com/svc' })
    const token = exchange.token()
    const own = () => exchange.proof(token, { url: 'https://mcp.example.com/svc/mcp' })
    await behind.allows(exchange.request({ token, proof: own() }))
    await siege.refuses(exchange.request({ token, proof: own() }), 'proof_target_mismatch')
    await behind.guard.close()
  })
})

describe('a proof for another method', () => {
  it.each(['GET', 'post', 'POST ', 'POST\n', 'PUT', 'HEAD', 'OPTIONS', ''])(
    '%j is refused [9449-4.3-8]',
    async (method) => {
      await siege.refuses(siege.withProof({ method }), 'proof_method_mismatch')
    },
  )

  it.each(['GET', 'DELETE', 'HEAD', 'PATCH', 'OPTIONS', 'QUERY'])(
    'and one for the method %s is accepted',
    async (method) => {
      const token = exchange.token()
      await siege.allows(exchange.request({ token, method, proof: exchange.proof(token, { method }) }))
    },
  )

  it('is not made right by an override that comes with the request', async () => {
    const request = siege.withProof({ method: 'GET' })
    const headers = [
      ...(request.headers as [string, string][]),
      ['x-http-method-override', 'GET'],
      ['x-method-override', 'GET'],
    ] as never
    await siege.refuses({ ...request, url: '/mcp?_method=GET', headers }, 'proof_method_mismatch')
  })
})

describe('a proof for another token', () => {
  it.each([
    ['none', undefined],
    ['another of the same agent', 'another'],
    ['the empty one', ''],
  ])('is refused: %s [9449-4.3-12a]', async (_, other) => {
    const ath = other === undefined ? undefined : sha256(other)
    await siege.refuses(siege.withProof({ claims: { ath } }), 'proof_token_mismatch')
  })

  it.each([
    ['in hex', (token: string) => Buffer.from(sha256(token), 'base64url').toString('hex')],
    ['in base64', (token: string) => Buffer.from(sha256(token), 'base64url').toString('base64')],
    ['with padding', (token: string) => `${sha256(token)}=`],
    ['of its first part', (token: string) => sha256(token.split('.')[0] as string)],
    ['of the whole header field', (token: string) => sha256(`DPoP ${token}`)],
    ['cut short', (token: string) => sha256(token).slice(0, 22)],
    ['as a number', () => 0],
    ['as the token itself', (token: string) => token],
  ])('is refused when ath is the hash %s [9449-4.3-12a]', async (_, ath) => {
    const token = exchange.token()
    const proof = exchange.proof(token, { claims: { ath: ath(token) } })
    await siege.refuses(exchange.request({ token, proof }), 'proof_token_mismatch')
  })

  it('a proof of the token endpoint, which has no ath, opens no resource', async () => {
    const url = `${exchange.issuer}/oauth/token`
    await siege.refuses(siege.withProof({ url, claims: { ath: undefined } }), 'proof_target_mismatch')
  })
})

describe('a proof of another time', () => {
  it.each([
    [-61, 'proof_expired'],
    [-3600, 'proof_expired'],
    [11, 'proof_not_yet_valid'],
    [3600, 'proof_not_yet_valid'],
    [Number.NaN, 'proof_malformed'],
  ] as const)(
    '%d seconds off is refused [9449-4.3-11] [9449-11.1-window] [SEP-D2]',
    async (offset, reason) => {
      const iat = Math.floor(exchange.now()) + offset
      await siege.refuses(siege.withProof({ claims: { iat } }), reason)
    },
  )

  it('that was made ahead for later use does not outlive its token', async () => {
    const token = exchange.token({ claims: { exp: Math.floor(exchange.now()) - 1 } })
    await siege.refuses(exchange.request({ token }), 'token_expired')
  })
})

describe('a proof for another resource', () => {
  it('is refused there, though issuer, agent and key are the same [9449-11.1-window]', async () => {
    const audience = ['https://mcp.example.com/mcp', 'https://other.example/mcp']
    const token = exchange.token({ claims: { aud: audience } })
    await siege.allows(exchange.request({ token }))
    const proof = exchange.proof(token, { url: 'https://other.example/mcp' })
    await siege.refuses(exchange.request({ token, proof }), 'proof_target_mismatch')
  })
})

it('a proof of an agent that has another key now is refused', async () => {
  const rotated = generateKeyPair()
  const token = exchange.token({ claims: { cnf: { jkt: rotated.jkt } } })
  await siege.allows(exchange.request({ token, proof: exchange.proof(token, { key: rotated }) }))
  await siege.refuses(exchange.request({ token }), 'proof_key_mismatch')
})
