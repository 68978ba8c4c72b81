import { type RunningIssuer, startIssuer } from '@sharkguard/issuer'
import { decodeJwt } from 'jose'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Caller } from './caller.ts'
import { startGuarded } from './server.ts'

const GUARD = 'guard=0123456789abcdef0123'
let issuer: RunningIssuer

beforeEach(async () => {
  issuer = await startIssuer()
})
afterEach(() => issuer.close())

async function ask(query: string, signal?: AbortSignal) {
  const response = await fetch(`${issuer.url}/oauth/revocations?${query}`, signal ? { signal } : {})
  return decodeJwt<{ seq: number; since: number; rules: object[] }>(await response.text())
}

/** The request has reached the issuer. */
const asked = (count: number) => vi.waitFor(() => expect(issuer.requests('/oauth/revocations')).toBe(count))

describe('A revoking call at an issuer', () => {
  it('is answered when a guard that waits has come back with what it was told', async () => {
    const waiting = ask(`${GUARD}&since=0&wait=30`)
    await asked(1)
    const done = issuer.revokePattern('x*')
    expect(await waiting).toMatchObject({ seq: 1, since: 0, rules: [{ k: 'glob', v: 'x*' }] })
    void ask(`${GUARD}&since=1&wait=30`).catch(() => undefined)
    await done
  })

  it('is answered all the same, within about a second, when that guard never does', async () => {
    const waiting = ask(`${GUARD}&since=0&wait=30`)
    await asked(1)
    const done = issuer.revokePattern('x*')
    await waiting
    await done
  })

  it('is not held up by a guard whose connection has gone', async () => {
    const gone = new AbortController()
    const waiting = ask(`${GUARD}&since=0&wait=30`, gone.signal).catch(() => 'gone')
    await asked(1)
    gone.abort()
    expect(await waiting).toBe('gone')
    await issuer.revokePattern('x*')
  })
})

describe('The list', () => {
  it('is signed once for all that ask for the same', async () => {
    await issuer.revokePattern('a*')
    const answers = await Promise.all(
      Array.from({ length: 20 }, async () => (await fetch(`${issuer.url}/oauth/revocations`)).text()),
    )
    // Two, where a second ends meanwhile.
    expect(new Set(answers).size).toBeLessThanOrEqual(2)
  })

  it('is answered at once to a guard that is ahead, which has to know that the count was lost', async () => {
    const answer = await ask(`${GUARD}&since=7&wait=30`)
    expect(answer).toMatchObject({ seq: 0, since: 7, rules: [] })
  })

  it.each([
    'since=-1',
    'since=1e3',
    'since=%00',
    `since=${'9'.repeat(400)}`,
    'wait=x',
    'guard=%ff',
    'since=&wait=',
  ])('is answered whatever the query: %s', async (query) => {
    expect(await ask(query)).toMatchObject({ seq: 0, rules: [] })
  })
})

it('With two guards under load, nobody is let in anywhere once the call is answered', async () => {
  const servers = await Promise.all([0, 1].map(() => startGuarded({ issuer: issuer.url })))
  try {
    for (let round = 0; round < 10; round++) {
      const victims = await Promise.all(servers.map(({ resource }) => Caller.create(issuer, resource)))
      const others = await Promise.all(servers.map(({ resource }) => Caller.create(issuer, resource)))
      const all = [...victims, ...others]
      expect(await Promise.all(all.map(async (caller) => (await caller.call()).status))).toEqual([
        200, 200, 200, 200,
      ])
      const load = Promise.all(Array.from({ length: 50 }, (_, i) => others[i % 2]!.call()))
      await Promise.all(victims.map(({ clientId }) => issuer.revokeAgent(clientId)))
      const after = await Promise.all(all.map(async (caller) => (await caller.call()).status))
      expect(after).toEqual([401, 401, 200, 200])
      expect(new Set((await load).map(({ status }) => status))).toEqual(new Set([200]))
    }
  } finally {
    await Promise.all(servers.map((server) => server.close()))
  }
})
