import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { DcrClient } from '../src/index.ts'
import { type Answer, listen, type TestServer } from './support/http.ts'

let server: TestServer
let dcr: DcrClient
let answer: Answer
beforeAll(async () => {
  server = await listen(() => answer)
  dcr = new DcrClient({ baseUrl: server.url })
})
beforeEach(() => {
  server.seen.length = 0
  answer = { json: { client_id: 'c/1' } }
})
afterAll(() => server.close())

const sent = () =>
  server.seen.map(({ method, url, headers }) => [method, url.pathname, headers.get('authorization')])

describe('DcrClient', () => {
  it('registers with JSON and no credentials', async () => {
    answer = { status: 201, json: { client_id: 'c', client_secret: 's', registration_access_token: 'rat' } }
    const metadata = { client_name: 'n', grant_types: ['client_credentials'] }
    expect((await new DcrClient(server.url).register(metadata)).client_secret).toBe('s')
    expect(sent()).toEqual([['POST', '/oauth/register', null]])
    expect(server.seen[0]?.headers.get('content-type')).toBe('application/json')
    expect(JSON.parse(server.seen[0]?.body ?? '')).toEqual(metadata)
  })

  it("manages a registration at SharkAuth's paths, with the registration access token", async () => {
    await dcr.get('c/1', 'rat')
    await dcr.update('c/1', 'rat', { client_name: 'm' })
    await dcr.rotateSecret('c/1', 'rat')
    await dcr.rotateRegistrationToken('c/1', 'rat')
    answer = { status: 204 }
    expect(await dcr.delete('c/1', 'rat')).toBeUndefined()
    const path = '/oauth/register/c%2F1'
    expect(sent()).toEqual([
      ['GET', path, 'Bearer rat'],
      ['PUT', path, 'Bearer rat'],
      ['POST', `${path}/secret`, 'Bearer rat'],
      ['DELETE', `${path}/registration-token`, 'Bearer rat'],
      ['DELETE', path, 'Bearer rat'],
    ])
    expect(JSON.parse(server.seen[1]?.body ?? '')).toEqual({ client_id: 'c/1', client_name: 'm' })
  })

  it('takes a registration_client_uri, but not one of another origin', async () => {
    await dcr.get(`${server.url}/clients/1`, 'rat')
    expect(sent()).toEqual([['GET', '/clients/1', 'Bearer rat']])
    await expect(dcr.get('http://127.0.0.1:1/clients/1', 'rat')).rejects.toThrow(/origin/)
  })

  it('reports refusals, without the token it sent', async () => {
    answer = { status: 401, json: { error: 'invalid_token', error_description: 'bad: rat' } }
    await expect(dcr.get('c', 'rat')).rejects.toMatchObject({
      error: 'invalid_token',
      errorDescription: 'bad: [secret]',
      status: 401,
    })
  })

  it('refuses an answer without a client', async () => {
    answer = { status: 201, json: {} }
    await expect(dcr.register({ client_name: 'n' })).rejects.toThrow(/without a client_id/)
  })
})
