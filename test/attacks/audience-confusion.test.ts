import { ConfigurationError, createGuard } from '@sharkguard/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Exchange } from '../support/exchange.ts'
import { Siege } from '../support/siege.ts'

/** The attacker runs another resource and got an agent's token for it, or got one that is nearly for ours. */
let siege: Siege
let exchange: Exchange

beforeAll(async () => {
  siege = await Siege.start()
  exchange = siege.exchange
})
afterAll(() => siege.close())

describe('a token for', () => {
  it.each([
    'https://other.example/mcp',
    'https://mcp.example.com/mcp/',
    'https://mcp.example.com/mcp/tools',
    'https://mcp.example.com/',
    'https://mcp.example.com',
    'https://mcp.example.com/MCP',
    'https://MCP.example.com/mcp',
    'https://mcp.example.com:443/mcp',
    'http://mcp.example.com/mcp',
    'https://mcp.example.com/mc',
    'https://mcp.example.com/mcp?x',
    'https://mcp.example.com/mcp#x',
    'https://mcp.example.com/%6dcp',
    ' https://mcp.example.com/mcp',
    'https://mcp.example.com/mcp\n',
    'agent-1',
    '*',
    'https://*.example.com/mcp',
    'mcp.example.com/mcp',
    ['https://other.example/mcp'],
    ['https://other.example/mcp', 'https://mcp.example.com/mcp/'],
    ['https://mcp.example.com', '/mcp'],
  ])(
    '%j is for another resource [9068-4-aud] [8707-2-exact] [MCP-R9] [MCP-R10] [MCP-R11] [MCP-R12] [SEP-D9]',
    async (aud) => {
      await siege.refuses(siege.withToken({ claims: { aud } }), 'audience_mismatch')
    },
  )

  it.each([
    null,
    undefined,
    '',
    [],
    {},
    5,
    true,
    [5],
    [null],
    ['https://mcp.example.com/mcp', 5],
    [['https://mcp.example.com/mcp']],
    { 'https://mcp.example.com/mcp': 1 },
  ])('%j is for nobody [8725-3.9]', async (aud) => {
    await siege.refuses(siege.withToken({ claims: { aud } }), 'token_claims_invalid')
  })

  it('several resources, ours among them, is for ours too, and the handler sees which', async () => {
    const request = siege.withToken({ claims: { aud: ['https://other.example/mcp', exchange.resource] } })
    const verdict = await siege.guard.verify(request)
    expect(verdict.ok && verdict.auth.resource.href).toBe(exchange.resource)
  })
})

describe('a guard', () => {
  it.each([undefined, null, '', [], '*', /mcp/, '/mcp'])(
    'cannot be made for the audience %s [MCP-R9]',
    (audience) => {
      expect(() => createGuard(audience as never, { issuer: exchange.issuer })).toThrow(ConfigurationError)
    },
  )

  it('with aliases takes each exactly and tells the handler which', async () => {
    const guard = createGuard([exchange.resource, 'urn:mcp'], { issuer: exchange.issuer, revocation: 'off' })
    const verdict = await guard.verify(siege.withToken({ claims: { aud: 'urn:mcp' } }))
    expect(verdict.ok && verdict.auth.resource.href).toBe('urn:mcp')
    expect((await guard.verify(siege.withToken({ claims: { aud: 'urn:MCP' } }))).ok).toBe(false)
    await guard.close()
  })

  it('of one resource does not accept for another of the same process [9700-2.3-audience]', async () => {
    const other = createGuard('https://other.example/mcp', { issuer: exchange.issuer, revocation: 'off' })
    const request = exchange.request()
    await siege.allows(request)
    expect(await other.verify(request)).toMatchObject({ ok: false, reason: 'audience_mismatch' })
    await other.close()
  })
})
