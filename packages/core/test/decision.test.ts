import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Exchange } from '../../../test/support/exchange.ts'
import { createGuard, type Decision, type Guard, type GuardOptions, Unavailable } from '../src/index.ts'

let exchange: Exchange
let decisions: Decision[]

beforeAll(async () => {
  exchange = await Exchange.start()
})
afterAll(() => exchange.close())
beforeEach(() => {
  decisions = []
})

const guardOf = (options: GuardOptions = {}): Guard =>
  createGuard(exchange.resource, {
    issuer: exchange.issuer,
    revocation: 'off',
    onDecision: (decision) => void decisions.push(decision),
    ...options,
  })

describe('onDecision', () => {
  it('hears of a request that was allowed, and who made it', async () => {
    await guardOf().verify(exchange.request())
    expect(decisions).toEqual([
      {
        outcome: 'allowed',
        method: 'POST',
        scheme: 'DPoP',
        issuer: exchange.issuer,
        clientId: 'agent-1',
        subject: 'agent-1',
        jkt: exchange.agentKey.jkt,
        durationMs: expect.any(Number) as number,
      },
    ])
    expect(decisions[0]).toHaveProperty('durationMs')
  })

  it('hears why a request was refused, with what was known by then', async () => {
    const guard = guardOf()
    const request = exchange.request()
    await guard.verify(request)
    await guard.verify(request)
    await guard.verify({ ...request, headers: [] })
    await guard.verify(
      exchange.request({ token: exchange.token({ claims: { aud: 'https://other.example' } }) }),
    )
    expect(decisions.slice(1)).toMatchObject([
      { outcome: 'refused', reason: 'proof_replayed', clientId: 'agent-1', jkt: exchange.agentKey.jkt },
      { outcome: 'refused', reason: 'credentials_missing', clientId: undefined, scheme: undefined },
      {
        outcome: 'refused',
        reason: 'audience_mismatch',
        scheme: 'DPoP',
        detail: `aud https://other.example, expected ${exchange.resource}`,
      },
    ])
  })

  it('hears of an operation that needs more scopes, after the request it is in was allowed', async () => {
    const guard = guardOf()
    const verdict = await guard.verify(exchange.request())
    if (!verdict.ok) throw new Error(verdict.reason)
    guard.insufficientScope(verdict.auth, ['files:write', 'admin'])
    const { outcome: _, durationMs, ...who } = decisions[0] as Decision & { outcome: 'allowed' }
    expect(decisions.slice(1)).toEqual([
      {
        outcome: 'refused',
        reason: 'insufficient_scope',
        detail: 'an operation needs files:write admin',
        ...who,
        durationMs: expect.any(Number) as number,
      },
    ])
    expect((decisions[1] as { durationMs: number }).durationMs).toBeGreaterThanOrEqual(durationMs)
  })

  it('hears what was not available, and its cause', async () => {
    const cause = new Error('ECONNREFUSED')
    const replayStore = { claim: () => Promise.reject(cause) }
    await guardOf({ replayStore }).verify(exchange.request())
    expect(decisions).toMatchObject([{ outcome: 'unavailable', reason: 'replay_store_unavailable' }])
    const [decision] = decisions
    if (decision?.outcome !== 'unavailable') throw new Error('unreachable')
    expect(decision.cause).toBeInstanceOf(Unavailable)
    expect((decision.cause as Unavailable).cause).toBe(cause)
  })

  it('never sees a token, a proof or a credential', async () => {
    const guard = guardOf()
    const seen = []
    for (const request of [
      exchange.request(),
      exchange.request({ scheme: 'Bearer' }),
      exchange.request({ scheme: 'Basic' }),
      exchange.request({ token: 'nonsense' }),
      exchange.request({ proof: exchange.proof('another') }),
      exchange.request({ token: exchange.token({ header: { kid: 'x' } }) }),
    ]) {
      await guard.verify(request)
      for (const [, value] of request.headers)
        seen.push(...value.split(/[ .]/).filter((part) => part.length > 20))
    }
    expect(decisions).toHaveLength(6)
    const told = JSON.stringify(decisions)
    for (const part of seen) expect(told).not.toContain(part)
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('disk full')
      },
    ],
    ['rejects', () => Promise.reject(new Error('disk full'))],
    ['throws nothing at all', () => Promise.reject()],
  ])('decides nothing when it %s, and ends no process', async (_, onDecision) => {
    const unhandled: unknown[] = []
    const listen = (error: unknown) => void unhandled.push(error)
    process.on('unhandledRejection', listen)
    const guard = guardOf({ onDecision: onDecision as () => void })
    const request = exchange.request()
    expect((await guard.verify(request)).ok).toBe(true)
    expect((await guard.verify(request)).ok).toBe(false)
    await new Promise((resolve) => setTimeout(resolve, 10))
    process.off('unhandledRejection', listen)
    expect(unhandled).toEqual([])
  })
})
