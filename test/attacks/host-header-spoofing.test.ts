import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Exchange } from '../support/exchange.ts'
import { FETCH_HOSTS, HOSTS, type Host } from '../support/hosts.ts'
import { requestText, sendRaw } from '../support/raw-http.ts'

/** The attacker writes the request line, `Host` and `X-Forwarded-*`, and has a proof for a URL these could add up to. */
let exchange: Exchange
let host: Host
/** How often the handler had run before the attack. */
let ranBefore: number

type Fields = readonly (readonly [string, string])[]

/** Sends a request with a proof for `url`. */
async function send({
  line = 'POST /mcp',
  url = exchange.resource,
  hosts = ['mcp.example.com'],
  fields = [] as Fields,
}) {
  const token = exchange.token()
  const proof = exchange.proof(token, { url, method: line.split(' ')[0] as string })
  const credentials = [
    ['Authorization', `DPoP ${token}`],
    ['DPoP', proof],
    ['Content-Length', '0'],
    ['Connection', 'close'],
  ] as const
  const all = [...hosts.map((host) => ['Host', host] as const), ...fields, ...credentials]
  return sendRaw(host.port, requestText(line, all))
}

function expectNothingRan(): void {
  expect(host.runs()).toBe(ranBefore)
}

describe.each(Object.entries(HOSTS))('before %s,', (name, start) => {
  const isFetchHost = FETCH_HOSTS.includes(name)

  beforeAll(async () => {
    exchange = await Exchange.start()
    host = await start(exchange.resource, { issuer: exchange.issuer, revocation: 'off' })
  })
  afterAll(async () => {
    await host.close()
    await exchange.close()
  })
  beforeEach(() => {
    ranBefore = host.runs()
  })

  describe('Host', () => {
    it.each([
      'mcp.example.com',
      'evil.example',
      'localhost',
      'mcp.example.com:8443',
      'mcp.example.com/public?',
      'x@mcp.example.com',
      'mcp.example.com#',
      '[::1]',
      '',
      'MCP.EXAMPLE.COM',
      'a b',
      'mcp.example.com, evil.example',
    ])('%j changes nothing: the proof is compared with the configured origin [9449-4.3-9]', async (sent) => {
      // What makes no URL never becomes a Fetch `Request`.
      const noUrl = isFetchHost && /[^\w.:[\]-]|^$/.test(sent)
      expect((await send({ hosts: [sent] })).status).toBe(noUrl ? 400 : 200)
      ranBefore = host.runs()
      const evil = await send({ hosts: [sent], url: 'https://evil.example/mcp' })
      expect(evil.status).toBe(noUrl ? 400 : 401)
      if (!noUrl) expect(evil.fields['www-authenticate']?.[0]).toContain('invalid_dpop_proof')
      expectNothingRan()
    })

    it('with a path does not turn a proof for that path into one for another', async () => {
      const spoofed = await send({
        line: 'POST /admin',
        hosts: ['mcp.example.com/public?'],
        url: 'https://mcp.example.com/public',
      })
      expect(spoofed.status).toBe(isFetchHost ? 400 : 401)
      expectNothingRan()
    })

    it('twice is nothing to the guard either', async () => {
      const twice = await send({
        hosts: ['mcp.example.com', 'evil.example'],
        url: 'https://evil.example/mcp',
      })
      expect(twice.status).toBeGreaterThanOrEqual(400)
      expectNothingRan()
    })

    it('is in no challenge: resource_metadata is of the configured origin [9728-5.1]', async () => {
      const answer = await sendRaw(
        host.port,
        requestText('POST /mcp', [
          ['Host', 'evil.example'],
          ['Content-Length', '0'],
          ['Connection', 'close'],
        ]),
      )
      expect(answer.status).toBe(401)
      expect(answer.text).not.toContain('evil')
      expect(answer.text).toContain('https://mcp.example.com/.well-known/oauth-protected-resource/mcp')
    })
  })

  describe('forwarding fields', () => {
    it.each([
      [['X-Forwarded-Host', 'evil.example']],
      [['X-Forwarded-Proto', 'http']],
      [['X-Forwarded-Port', '8443']],
      [['X-Forwarded-Prefix', '/evil']],
      [['X-Forwarded-Server', 'evil.example']],
      [['Forwarded', 'host=evil.example;proto=http']],
      [['X-Original-URL', '/evil']],
      [['X-Rewrite-URL', '/evil']],
      [['X-Original-Host', 'evil.example']],
      [['Front-End-Https', 'off']],
    ] as const)('%j is not looked at [9449-4.3-9]', async (field) => {
      expect((await send({ fields: [field] })).status).toBe(200)
      ranBefore = host.runs()
      for (const url of [
        'https://evil.example/mcp',
        'http://mcp.example.com/mcp',
        'https://mcp.example.com:8443/mcp',
        'https://mcp.example.com/evil/mcp',
        'https://mcp.example.com/evil',
      ]) {
        expect((await send({ fields: [field], url })).status).toBe(401)
      }
      expectNothingRan()
    })
  })

  describe('the request target', () => {
    // A Fetch `Request` has its dots resolved, for the router as for the guard, and its origin is not looked at.
    it.each<[line: string, asItCame: number, asRequest?: number]>([
      ['POST https://mcp.example.com/mcp', 200],
      ['POST HTTPS://MCP.EXAMPLE.COM/mcp', 200, 400],
      ['POST https://evil.example/mcp', 400, 200],
      ['POST http://mcp.example.com/mcp', 400, 200],
      ['POST https://mcp.example.com:8443/mcp', 400, 200],
      ['POST https://user@mcp.example.com/mcp', 400, 200],
      ['POST https://mcp.example.com@evil.example/mcp', 400, 200],
      ['POST https://mcp.example.com.evil.example/mcp', 400, 200],
      // Fastify 5.0 takes `/mcp` for the path of this one, and the guard took `/`.
      ['POST https://mcp.example.com?x=/mcp', 400, 401],
      ['POST //evil.example/mcp', 400],
      ['POST //mcp.example.com/mcp', 400],
      ['POST /x/../mcp', 400, 200],
      ['POST /x/%2e%2e/mcp', 400, 200],
      ['POST /./mcp', 400, 200],
      ['POST /mcp\\', 400],
      ['OPTIONS *', 400],
      ['POST *', 400],
      ['POST /mcp/', 401],
      ['POST /MCP', 401],
      ['POST /mcp%2F', 401],
      ['POST /mcp;x', 401],
      ['POST /mcp?x=https://evil.example', 200],
      ['POST /%6Dcp', 200],
    ])('%s: %i', async (line, asItCame, asRequest = asItCame) => {
      const status = isFetchHost ? asRequest : asItCame
      const answer = await send({ line })
      expect(answer.status).toBe(status)
      expect(host.runs() - ranBefore).toBe(status === 200 ? 1 : 0)
      if (status === 400 && answer.fields['www-authenticate']) {
        expect(answer.fields['www-authenticate'][0]).toContain('error="invalid_request"')
      }
      expect(answer.text).not.toContain('evil')
    })
  })
})
