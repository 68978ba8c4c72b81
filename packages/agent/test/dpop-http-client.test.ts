import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { DPoPHttpClient, DPoPProver } from '../src/index.ts'
import { mint } from './support/authorization-server.ts'
import { listen, type TestServer } from './support/http.ts'
import { type FakeResource, startResource } from './support/resource-server.ts'

const prover = await DPoPProver.generate()
const token = await mint({ cnf: { jkt: prover.jkt } })
const servers: TestServer[] = []
let server: FakeResource
let client: DPoPHttpClient

beforeEach(async () => {
  server = await startResource('https://as.example')
  servers.push(server)
  client = new DPoPHttpClient(server.url)
})
afterAll(() => Promise.all(servers.map((each) => each.close())))

describe('DPoPHttpClient', () => {
  it.each([
    'get',
    'post',
    'put',
    'patch',
    'delete',
    'getWithDpop',
    'postWithDpop',
    'deleteWithDpop',
  ] as const)('%s sends token and proof', async (name) => {
    expect((await client[name]('/x?q=1', { token, prover })).status).toBe(200)
    expect(server.admitted[0]?.method).toBe(name.replace('WithDpop', '').toUpperCase())
    expect(server.admitted[0]?.url.search).toBe('?q=1')
  })

  it("sends JSON and the caller's headers", async () => {
    const headers = { accept: 'text/event-stream', 'x-more': '1' }
    const response = await client.post('/x', { token, prover, json: { a: 'é' }, headers })
    expect(await response.json()).toEqual({ a: 'é' })
    const sent = server.admitted[0]?.headers
    expect([sent?.get('accept'), sent?.get('x-more'), sent?.get('content-type')]).toEqual([
      'text/event-stream',
      '1',
      'application/json',
    ])
  })

  it('takes a Token as well as its text', async () => {
    const whole = { accessToken: token, tokenType: 'DPoP', expiresIn: 1, expiresAt: 1, scope: '', raw: {} }
    expect((await client.get('/x', { token: whole, prover })).status).toBe(200)
  })

  it('answers one nonce challenge with a fresh proof, and remembers the nonce', async () => {
    server.nonce = 'n1'
    expect((await client.post('/x', { token, prover, json: 1 })).status).toBe(200)
    expect((await client.get('/x', { token, prover })).status).toBe(200)
    expect(server.refused).toEqual(['use_dpop_nonce'])
    expect(server.admitted.map(({ proof }) => proof.nonce)).toEqual(['n1', 'n1'])
  })

  it('resolves with a refusal as it came', async () => {
    server.revoked.add(token)
    const response = await client.get('/x', { token, prover })
    expect([response.status, await response.text()]).toEqual([401, 'refused'])
    expect(server.seen.length).toBe(1)
  })

  it('appends paths to the base path, and stays at its origin', async () => {
    const below = new DPoPHttpClient(`${server.url}/v1/`)
    for (const path of ['/a', 'a', `${server.url}/v1/a`, '']) await below.get(path, { token, prover })
    expect(server.admitted.map(({ url }) => url.pathname)).toEqual(['/v1/a', '/v1/a', '/v1/a', '/v1/'])
    await client.get('//evil.example/x', { token, prover })
    expect(server.admitted.at(-1)?.url.pathname).toBe('//evil.example/x')
    await expect(client.get('https://evil.example/x', { token, prover })).rejects.toThrow(/no other origin/)
  })

  it('waits for the beginning of an answer as long as it was told, and for its end longer', async () => {
    const slow = await listen(async ({ url }, { response }) => {
      if (url.pathname === '/never') return new Promise(() => undefined)
      response.writeHead(200).write('begun ')
      await new Promise((resolve) => setTimeout(resolve, 400))
      response.end('ended')
      return {}
    })
    servers.push(slow)
    const hasty = new DPoPHttpClient(slow.url, { timeout: 0.2 })
    await expect(hasty.get('/never', { token, prover })).rejects.toThrow(/no answer within 0.2 s/)
    expect(await (await hasty.get('/slow', { token, prover })).text()).toBe('begun ended')
  })

  it('needs a token and a prover', async () => {
    await expect(client.get('/', { token: '', prover })).rejects.toThrow(/token must be/)
    await expect(client.get('/', { token } as never)).rejects.toThrow(/prover must be/)
  })
})
