import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Followers } from '../src/revocation/followers.ts'

const name = (n: number) => `guard-number-${n}`.padEnd(20, '-')
let followers: Followers

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  followers = new Followers()
})
afterEach(() => vi.useRealTimers())

/** Whether a call that waits for a rule has been answered. */
function waitFor(seq: number) {
  const state = { isAnswered: false }
  void followers.haveSeen(seq).then(() => {
    state.isAnswered = true
  })
  return async (ms = 0) => {
    await vi.advanceTimersByTimeAsync(ms)
    return state.isAnswered
  }
}

describe('A revoking call', () => {
  it('waits for nobody where nobody follows', async () => {
    expect(await waitFor(1)()).toBe(true)
  })

  it('waits until every guard that is there has come back with its rule', async () => {
    const leave = [1, 2].map((n) => followers.arrive(name(n), 4))
    const answered = waitFor(5)
    for (const left of leave) left(false)
    expect(await answered()).toBe(false)
    followers.arrive(name(1), 5)
    expect(await answered()).toBe(false)
    followers.arrive(name(2), 7)
    expect(await answered()).toBe(true)
  })

  it('does not wait for whoever has the rule already, nor for who comes later', async () => {
    followers.arrive(name(1), 5)
    const answered = waitFor(5)
    followers.arrive(name(2), 0)
    expect(await answered()).toBe(true)
  })

  it('waits for a guard that is between two questions, for two seconds', async () => {
    followers.arrive(name(1), 4)(false)
    await vi.advanceTimersByTimeAsync(1900)
    const answered = waitFor(5)
    expect(await answered()).toBe(false)
    followers.arrive(name(1), 5)(false)
    expect(await answered()).toBe(true)
    await vi.advanceTimersByTimeAsync(2000)
    expect(await waitFor(6)()).toBe(true)
  })

  it('waits a second at most for one that does not come back, and then no longer for that one', async () => {
    const leave = followers.arrive(name(1), 4)
    const answered = waitFor(5)
    leave(false)
    expect(await answered(999)).toBe(false)
    expect(await answered(1)).toBe(true)
    await vi.advanceTimersByTimeAsync(1000)
    expect(await waitFor(6)()).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('does not wait for one that went away, also while it waits', async () => {
    const leave = followers.arrive(name(1), 4)
    const answered = waitFor(5)
    leave(true)
    expect(await answered()).toBe(true)
    expect(await waitFor(6)()).toBe(true)
  })

  it('does not take a word for another guard’s, nor a name that could be guessed for a guard', async () => {
    followers.arrive(name(1), 4)
    const answered = waitFor(5)
    for (const stranger of [name(2), '', 'short', 'x'.repeat(65), `${name(1)} `])
      followers.arrive(stranger, 1e15)
    expect(await answered()).toBe(false)
    expect(await answered(1000)).toBe(true)
    followers = new Followers()
    for (const stranger of [null, '', 'short', 'x'.repeat(65), 'with spaces in the name']) {
      followers.arrive(stranger, 0)
    }
    expect(await waitFor(1)()).toBe(true)
  })

  it('takes a guard at its latest word: one that starts over has nothing yet', async () => {
    followers.arrive(name(1), 5)(false)
    followers.arrive(name(1), 0)
    const answered = waitFor(5)
    expect(await answered()).toBe(false)
    followers.arrive(name(1), 5)
    expect(await answered()).toBe(true)
  })

  it('is bounded whoever comes: ten thousand names, and not one more that it waits for', async () => {
    for (let n = 0; n < 10_000; n++) followers.arrive(name(n), 1)
    followers.arrive(name(10_000), 0)
    expect(await waitFor(1)()).toBe(true)
  })
})
