import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { AccessToken } from '../src/access-token.ts'
import { createOpenStreams, type StreamEnd } from '../src/open-streams.ts'
import { Refusal, Unavailable } from '../src/refusal.ts'

let failures: Map<string, unknown>
let looks: number
let changed: () => void
let streams: ReturnType<typeof createOpenStreams>
let ended: [string, StreamEnd][]

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
  failures = new Map()
  ended = []
  looks = 0
  // At once, as for a token that is known.
  const verify = (text: string) => {
    looks++
    const failure = failures.get(text)
    if (failure instanceof Refusal && failure.reason !== 'token_revoked') throw failure
    return { issuer: 'i', subject: text } as AccessToken
  }
  const require = (_token: AccessToken, text: string) => {
    if (failures.has(text)) throw failures.get(text)
  }
  streams = createOpenStreams(() => 1_800_000_000, verify, {
    require,
    onChange: (listener) => {
      changed = listener
    },
  })
})
afterEach(() => {
  streams.close()
  vi.useRealTimers()
})

const watch = (text: string) => streams.watch(text, (reason) => void ended.push([text, reason]))
const tick = async (ms = 1000) => {
  await vi.advanceTimersByTimeAsync(ms)
}

describe('an open stream', () => {
  it('that its host lets go on is told once a look, not without end', async () => {
    let told = 0
    const goOn = () => {
      told++
      streams.watch('a', goOn)
    }
    goOn()
    await tick()
    expect(told).toBe(1)
    failures.set('a', new Refusal('token_expired'))
    await tick()
    expect(told).toBe(2)
    await tick()
    expect(told).toBe(3)
  })

  it.each([
    ['expired', new Refusal('token_expired')],
    ['revoked', new Refusal('token_revoked')],
    ['revoked', new Refusal('token_key_unknown')],
    ['unknown', new Unavailable('revocation_unavailable')],
    ['unknown', new Unavailable('keys_unavailable')],
    ['unknown', new Error('anything')],
  ] as const)('ends as %s, once, within a second of it', async (reason, failure) => {
    watch('a')
    watch('b')
    await tick(5000)
    expect(ended).toEqual([])
    failures.set('a', failure)
    await tick()
    expect(ended).toEqual([['a', reason]])
    await tick(5000)
    expect(ended).toEqual([['a', reason]])
  })

  it('ends at once when a rule arrives, without waiting for the second', async () => {
    watch('a')
    failures.set('a', new Refusal('token_revoked'))
    changed()
    await tick(0)
    expect(ended).toEqual([['a', 'revoked']])
  })

  it('is looked at ten times a second at most where rules keep coming, the last of them included', async () => {
    watch('a')
    for (let i = 0; i < 100; i++) changed()
    await tick(0)
    failures.set('a', new Refusal('token_revoked'))
    changed()
    expect(looks).toBe(1)
    await vi.waitUntil(() => ended.length > 0, { timeout: 500 })
    expect(looks).toBe(2)
  })

  it('that ended by itself is forgotten, also while it is being looked at', async () => {
    const undo = watch('a')
    failures.set('a', new Refusal('token_revoked'))
    changed()
    undo()
    await tick(5000)
    expect(ended).toEqual([])
    undo()
  })

  it('keeps a timer only while there is one, and for the rest of its second', async () => {
    expect(vi.getTimerCount()).toBe(0)
    const undo = [watch('a'), watch('a')]
    expect(vi.getTimerCount()).toBe(1)
    for (const each of undo) each()
    await tick()
    expect(vi.getTimerCount()).toBe(0)
    watch('b')
    streams.close()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('is looked at again once another comes, when the timer ended with the request that began it', async () => {
    vi.spyOn(globalThis, 'setInterval').mockReturnValueOnce(0 as never)
    watch('a')
    failures.set('a', new Refusal('token_revoked'))
    await tick(2000)
    watch('b')
    expect(vi.getTimerCount()).toBe(0)
    await tick(1)
    watch('c')
    watch('d')
    expect(vi.getTimerCount()).toBe(1)
    await tick()
    expect(ended).toEqual([['a', 'revoked']])
  })

  it('whose end fails takes neither the others nor the process with it', async () => {
    const unhandled: unknown[] = []
    const listen = (error: unknown) => void unhandled.push(error)
    process.on('unhandledRejection', listen)
    streams.watch('a', () => {
      throw new Error('already closed')
    })
    watch('b')
    failures.set('a', new Refusal('token_expired'))
    failures.set('b', new Refusal('token_expired'))
    await tick()
    await new Promise((resolve) => setTimeout(resolve, 10))
    process.off('unhandledRejection', listen)
    expect(unhandled).toEqual([])
    expect(ended).toEqual([['b', 'expired']])
  })
})
