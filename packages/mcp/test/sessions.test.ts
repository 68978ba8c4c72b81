import { sessionOwners } from '@sharkguard/mcp'
import { afterEach, describe, expect, it } from 'vitest'
import { generateKeyPair } from '../../../test/support/exchange.ts'
import { Endpoint, rpc } from './endpoint.ts'

let endpoint: Endpoint
afterEach(() => endpoint?.close())

/** A handler that opens session `s1`, `s2`, … at each `initialize`. */
async function startWithSessions(options = {}) {
  let sessions = 0
  endpoint = await Endpoint.start(options, async (request) => {
    const opens = request.method === 'POST' && (await request.text()).includes('initialize')
    return new Response('ok', opens ? { headers: { 'mcp-session-id': `s${++sessions}` } } : {})
  })
}

const statusWith = async (sessionId: string, { claims = {}, method = 'POST' } = {}) => {
  const body = method === 'POST' ? rpc('tools/list') : undefined
  return (await endpoint.send(body, { claims, method, headers: { 'mcp-session-id': sessionId } })).status
}

describe('a session', () => {
  it('can be used by whoever opened it, with any of their tokens', async () => {
    await startWithSessions()
    expect((await endpoint.send(rpc('initialize'))).headers.get('mcp-session-id')).toBe('s1')
    expect(await statusWith('s1')).toBe(200)
    expect(await statusWith('s1', { claims: { scope: 'other' } })).toBe(200)
    expect(await statusWith('s1', { method: 'GET' })).toBe(200)
  })

  it.each([
    ['another subject', { sub: 'agent-2' }],
    ['another client', { client_id: 'agent-2' }],
  ])('is refused as unknown when %s brings it', async (_title, claims) => {
    await startWithSessions()
    await endpoint.send(rpc('initialize'))
    expect(await statusWith('s1', { claims })).toBe(404)
    expect(await statusWith('s1', { claims, method: 'GET' })).toBe(404)
    expect(await statusWith('s1', { claims, method: 'DELETE' })).toBe(404)
    expect(await statusWith('s1')).toBe(200)
  })

  it('is refused when it is brought with another key [MCP-R26]', async () => {
    await startWithSessions()
    await endpoint.send(rpc('initialize'))
    const { exchange } = endpoint
    const key = generateKeyPair()
    const token = exchange.token({ claims: { cnf: { jkt: key.jkt } } })
    const headers = {
      ...exchange.headers({ token, proof: exchange.proof(token, { key }) }),
      'mcp-session-id': 's1',
    }
    expect((await endpoint.sendAnonymously(rpc('tools/list'), { headers })).status).toBe(404)
  })

  it('is refused when nobody here has opened it, or two are brought', async () => {
    await startWithSessions()
    await endpoint.send(rpc('initialize'))
    expect(await statusWith('s9')).toBe(404)
    expect(await statusWith('s1, s1')).toBe(404)
    expect(endpoint.seen).toHaveLength(1)
  })

  it("is nobody's once it has been deleted", async () => {
    await startWithSessions()
    await endpoint.send(rpc('initialize'))
    expect(await statusWith('s1', { method: 'DELETE' })).toBe(200)
    expect(await statusWith('s1')).toBe(404)
  })

  it('that was opened anonymously becomes that of the first who brings credentials', async () => {
    await startWithSessions({ public: ['ping'] })
    await endpoint.sendAnonymously(rpc('initialize'))
    const headers = { 'mcp-session-id': 's1' }
    const anonymously = async () => (await endpoint.sendAnonymously(rpc('tools/list'), { headers })).status
    expect(await anonymously()).toBe(200)
    expect(await statusWith('s1')).toBe(200)
    expect(await anonymously()).toBe(404)
    expect(await statusWith('s1', { claims: { sub: 'agent-2' } })).toBe(404)
  })
})

describe('sessionOwners', () => {
  const auth = (subject: string) => ({ issuer: 'i', subject, clientId: 'c', cnf: { jkt: 'k' } }) as never

  it('keeps the first owner of a session that is said to be opened twice', () => {
    const sessions = sessionOwners()
    sessions.opened('s', auth('a'))
    sessions.opened('s', auth('b'))
    expect([sessions.admits('s', auth('a')), sessions.admits('s', auth('b'))]).toEqual([true, false])
  })

  it('tells owners apart whose names run together', () => {
    const sessions = sessionOwners()
    const owner = (issuer: string, subject: string) => ({ issuer, subject, clientId: 'c' }) as never
    sessions.opened('s', owner('a', 'bc'))
    expect(sessions.admits('s', owner('ab', 'c'))).toBe(false)
    expect(sessions.admits('s', owner('a","b', 'c'))).toBe(false)
    expect(sessions.admits('s', owner('a', 'bc'))).toBe(true)
  })

  it('forgets the least recently used first', () => {
    const sessions = sessionOwners({ limit: 2 })
    sessions.opened('s1', auth('a'))
    sessions.opened('s2', auth('b'))
    expect(sessions.admits('s1', auth('a'))).toBe(true)
    sessions.opened('s3', auth('c'))
    expect(sessions.admits('s1', auth('a'))).toBe(true)
    expect(sessions.admits('s2', auth('b'))).toBe(false)
  })

  it('lets nobody flush the sessions of others', () => {
    const sessions = sessionOwners({ limit: 100, limitPerOwner: 10 })
    sessions.opened('mine', auth('a'))
    for (let i = 0; i < 1000; i++) sessions.opened(`s${i}`, auth('flood'))
    expect(sessions.admits('mine', auth('a'))).toBe(true)
    expect(sessions.admits('s989', auth('flood'))).toBe(false)
    expect(sessions.admits('s990', auth('flood'))).toBe(true)
  })
})
