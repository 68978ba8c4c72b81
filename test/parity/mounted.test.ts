import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Exchange } from '../support/exchange.ts'
import { type Host, sendRaw } from '../support/hosts.ts'
import { MOUNTED_HOSTS } from './mounted-hosts.ts'

const METADATA = '/.well-known/oauth-protected-resource'

let exchange: Exchange
let host: Host
beforeAll(async () => {
  exchange = await Exchange.start()
})
afterAll(() => exchange.close())

describe.each(Object.entries(MOUNTED_HOSTS))('%s', (_name, start) => {
  beforeEach(async () => {
    host = await start(exchange.resource, { issuer: exchange.issuer })
  })
  afterEach(() => host.close())

  const send = (line: string, headers: Record<string, string> = {}) => {
    const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
    return sendRaw(host.port, [`${line} HTTP/1.1`, 'Host: a', ...fields, 'Content-Length: 0'])
  }
  const provenFor = (url: string) => {
    const token = exchange.token()
    return exchange.headers({ token, proof: exchange.proof(token, { url: `https://mcp.example.com${url}` }) })
  }

  it('lets a valid request in, and refuses one without credentials', async () => {
    expect((await send('POST /mcp', exchange.headers())).body).toBe('{"client":"agent-1"}')
    const refused = await send('POST /mcp')
    expect([refused.status, refused.headers['www-authenticate']]).toEqual([
      401,
      expect.stringMatching(/^DPoP /),
    ])
    expect(host.runs()).toBe(1)
  })

  it('compares htu with the whole path', async () => {
    expect((await send('POST /mcp/tools?x=y', provenFor('/mcp/tools'))).status).toBe(200)
    expect((await send('POST /mcp/tools', provenFor('/tools'))).status).toBe(401)
    expect((await send('POST /mcp', provenFor('/'))).status).toBe(401)
  })

  it('refuses what is signed for the path without its trailing slash', async () => {
    expect([401, 404]).toContain((await send('POST /mcp/', exchange.headers())).status)
    expect(host.runs()).toBe(0)
  })

  it('serves the metadata where clients look', async () => {
    for (const path of [`${METADATA}/mcp`, METADATA]) {
      const answer = await send(`GET ${path}`)
      expect(answer.headers['access-control-allow-origin']).toBe('*')
      expect(JSON.parse(answer.body).resource).toBe(exchange.resource)
    }
  })

  it('leaves what is beside it alone', async () => {
    expect((await send('GET /health')).body).toBe('well')
  })

  it('hands a preflight to whoever answers those', async () => {
    const preflight = { Origin: 'https://app.example', 'Access-Control-Request-Method': 'POST' }
    expect((await send('OPTIONS /mcp', preflight)).body).toBe('{"client":null}')
  })
})
