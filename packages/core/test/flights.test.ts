import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Flights } from '../src/flights.ts'
import { cutOff, silence } from './support/cut-off.ts'

/** What a request that is over has begun, as newer runtimes have it: whoever awaits it is told that it cannot settle. */
// biome-ignore lint/suspicious/noThenProperty: a promise of which nothing but this is looked at.
const foundDead = () => ({ then: () => Promise.reject(new Error('can never settle')) }) as never

let flights: Flights<string>

beforeEach(() => {
  vi.useFakeTimers()
  flights = new Flights(10)
})

afterEach(() => {
  vi.useRealTimers()
})

describe('An attempt', () => {
  it('is one for all who need it meanwhile, and another one afterwards', async () => {
    const attempt = vi.fn(async () => 'landed')
    const outcomes = Array.from({ length: 30 }, () => flights.run(attempt))
    expect(flights.size).toBe(1)
    expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['landed']))
    expect(attempt).toHaveBeenCalledTimes(1)
    expect([flights.size, flights.has()]).toEqual([0, false])
    await flights.run(attempt)
    expect(attempt).toHaveBeenCalledTimes(2)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('fails for all who wait for it', async () => {
    const attempt = vi.fn(async () => Promise.reject(new TypeError('no answer')))
    const outcomes = [flights.run(attempt), flights.run(attempt)]
    for (const outcome of await Promise.allSettled(outcomes)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { message: 'no answer' } })
    }
    expect(attempt).toHaveBeenCalledTimes(1)
    expect(flights.has()).toBe(false)
  })

  it('is another one for another key', async () => {
    const outcomes = ['a', 'b'].map((key) => flights.run(async () => key, key))
    expect([flights.size, flights.has('a'), flights.has('c')]).toEqual([2, true, false])
    expect(await Promise.all(outcomes)).toEqual(['a', 'b'])
  })
})

describe('An attempt that was cut off', () => {
  it('is made again by one of those who wait, after the longest time it can take', async () => {
    await cutOff(() => flights.run(silence))
    await vi.advanceTimersByTimeAsync(4000)
    const attempt = vi.fn(() => new Promise<string>((resolve) => setTimeout(resolve, 1, 'landed')))
    const outcomes = Promise.all([flights.run(attempt), flights.run(attempt)])
    await vi.advanceTimersByTimeAsync(5999)
    expect(attempt).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(2)
    expect(await outcomes).toEqual(['landed', 'landed'])
    expect(attempt).toHaveBeenCalledTimes(1)
  })

  it('keeps nobody waiting who comes later, and does not count', async () => {
    await cutOff(() => flights.run(silence))
    expect([flights.size, flights.has()]).toEqual([1, true])
    await vi.advanceTimersByTimeAsync(10_000)
    expect([flights.has(), flights.size]).toEqual([false, 0])
    expect(await flights.run(async () => 'landed')).toBe('landed')
  })

  it('is made again at once where the runtime says that it is dead', async () => {
    const attempt = vi.fn(async () => 'landed')
    const dead = vi.fn(foundDead)
    const first = flights.run(() => (dead.mock.calls.length === 0 ? dead() : attempt()))
    expect(await Promise.all([first, flights.run(attempt), flights.run(attempt)])).toEqual(
      Array(3).fill('landed'),
    )
    expect(attempt).toHaveBeenCalledTimes(1)
  })

  it('takes nothing from the one that follows, should it end after all', async () => {
    let land: (value: string) => void = () => undefined
    let late: Promise<string> | undefined
    await cutOff(() => (late = flights.run(() => new Promise((resolve) => (land = resolve)))))
    await vi.advanceTimersByTimeAsync(10_000)
    let landSecond: (value: string) => void = () => undefined
    const second = flights.run(() => new Promise((resolve) => (landSecond = resolve)))
    land('first')
    expect(await late).toBe('first')
    expect(flights.has()).toBe(true)
    landSecond('second')
    expect(await second).toBe('second')
  })
})
