import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { IssuerKey, IssuerKeys } from '../src/keys.ts'
import { Unavailable } from '../src/refusal.ts'
import { CUT_OFF_TIMERS, cutOff, silence } from './support/cut-off.ts'
import { FakeIssuer, keyPair, published } from './support/fake-issuer.ts'

const [A, B, C] = [keyPair('a'), keyPair('b'), keyPair('c')]
let issuer: FakeIssuer
let keys: IssuerKeys

beforeEach(() => {
  issuer = new FakeIssuer(A)
  keys = issuer.keys()
})

const kids = async (kid: string | undefined, alg = 'ES256' as const) =>
  (await keys.find(kid, alg)).map(({ id }) => id)
const sole = async (kid: string) => (await keys.find(kid, 'ES256'))[0] as IssuerKey

describe('fetching', () => {
  it('happens when the first key is needed, once for thirty that need it', async () => {
    expect(issuer.requests).toEqual([])
    const found = await Promise.all(Array.from({ length: 30 }, () => kids('a')))
    expect(found).toEqual(Array.from({ length: 30 }, () => ['a']))
    expect(issuer.fetches).toBe(1)
    expect(issuer.requests).toHaveLength(2)
  })

  it('happens again once the set is half as old as it may get, and nobody waits for it', async () => {
    await kids('a')
    const key = await sole('a')
    issuer.now += 149
    expect(keys.holds(key)).toBe(true)
    expect(issuer.fetches).toBe(1)
    let answer: (response: Response) => void = () => undefined
    issuer.answerKeys(() => new Promise((resolve) => (answer = resolve)))
    issuer.now += 1
    expect(keys.holds(key)).toBe(true)
    expect(await kids('a')).toEqual(['a'])
    await settle()
    expect(issuer.fetches).toBe(2)
    answer(Response.json({ keys: [published(B)] }))
    await settle()
    expect(await kids('b')).toEqual(['b'])
    expect(keys.holds(key)).toBe(false)
  })

  it.each([
    [undefined, 300],
    ['max-age=60', 60],
    ['public, max-age=60, must-revalidate', 60],
    ['public,MAX-AGE=60', 60],
    ['s-maxage=9', 300],
    ['no-store', 300],
    ['max-age=0', 5],
    ['max-age=-1', 300],
    ['max-age=99999999999999', 600],
    ['max-age=31536000', 600],
    ['max-age=1e9', 5],
  ])('Cache-Control: %s makes a set last %i seconds', async (cacheControl, seconds) => {
    issuer.publish([A], cacheControl === undefined ? {} : { 'cache-control': cacheControl })
    const key = await sole('a')
    issuer.now += seconds - 0.5
    expect(keys.holds(key)).toBe(true)
    issuer.now += 0.5
    expect(keys.holds(key)).toBe(false)
  })
})

describe('a key that is not known', () => {
  it('is found at the first token that names it', async () => {
    expect(await kids('a')).toEqual(['a'])
    issuer.publish([A, B])
    expect(await kids('b')).toEqual(['b'])
    expect(issuer.fetches).toBe(2)
  })

  it('is found at the first tokens that name it, if thirty come at once', async () => {
    await kids('a')
    issuer.publish([A, B])
    const found = await Promise.all(Array.from({ length: 30 }, () => kids('b')))
    expect(found).toEqual(Array.from({ length: 30 }, () => ['b']))
    expect(issuer.fetches).toBe(2)
  })

  it('costs one fetch per cooldown however many name it', async () => {
    await kids('a')
    for (let i = 0; i < 3000; i++) {
      issuer.now += 0.01
      expect(await kids(`random-${i}`)).toEqual([])
    }
    expect(issuer.fetches - 1).toBeGreaterThan(0)
    expect(issuer.fetches - 1).toBeLessThanOrEqual(6)
    expect(await kids('a')).toEqual(['a'])
  })

  it('that is genuine works within one cooldown amid a flood of others', async () => {
    await kids('a')
    await kids('random')
    issuer.publish([A, B])
    let waited = 0
    for (; (await kids('b')).length === 0; waited++) {
      await kids(`random-${waited}`)
      issuer.now += 1
    }
    expect(waited).toBeLessThanOrEqual(5)
  })

  it('is not looked for right after the fetch that could have brought it', async () => {
    expect(await kids('nobody')).toEqual([])
    expect(issuer.fetches).toBe(1)
  })

  it('is not called unknown while the issuer cannot be asked', async () => {
    await kids('a')
    issuer.goDown()
    await expect(kids('b')).rejects.toThrow(Unavailable)
    issuer.now += 0.5
    await expect(kids('b')).rejects.toThrow(Unavailable)
    expect(await kids('a')).toEqual(['a'])
    expect(issuer.fetches).toBe(2)
  })
})

describe('a key that was removed', () => {
  it('is dead when the set has reached its age, at the latest after ten minutes', async () => {
    issuer.publish([A, B], { 'cache-control': 'max-age=86400' })
    const key = await sole('b')
    issuer.publish([A])
    issuer.now += 600
    expect(keys.holds(key)).toBe(false)
    expect(await kids('b')).toEqual([])
  })

  it('is dead at once after purge, which waits for nobody', async () => {
    const key = await sole('a')
    issuer.publish([B])
    keys.purge()
    expect(keys.holds(key)).toBe(false)
    expect(await kids('a')).toEqual([])
    expect(await kids('b')).toEqual(['b'])
  })

  it('does not come back by a fetch that was on its way when it was purged', async () => {
    let answer: (response: Response) => void = () => undefined
    issuer.answerKeys(() => new Promise((resolve) => (answer = resolve)))
    const early = kids('a')
    await settle()
    keys.purge()
    issuer.publish([B])
    expect(await kids('b')).toEqual(['b'])
    answer(Response.json({ keys: [published(A)] }))
    await early
    expect(await kids('a')).toEqual([])
  })

  it('and put back is another object, so that nothing cached for the first is valid again', async () => {
    const first = await sole('a')
    issuer.publish([B])
    issuer.now += 301
    await kids('b')
    issuer.publish([A, B])
    issuer.now += 301
    const second = await sole('a')
    expect(second).not.toBe(first)
    expect(keys.holds(first)).toBe(false)
  })
})

describe('a key that stays', () => {
  it('is the same object in every set, so that what is cached for it stays valid', async () => {
    const key = await sole('a')
    issuer.publish([B, A, C])
    issuer.now += 301
    expect(await sole('a')).toBe(key)
    expect(keys.holds(key)).toBe(true)
  })

  it('is another when its material was swapped under one kid', async () => {
    const key = await sole('a')
    issuer.publish([{ ...B, kid: 'a' }])
    issuer.now += 301
    expect(await sole('a')).not.toBe(key)
    expect(keys.holds(key)).toBe(false)
  })
})

describe('an outage', () => {
  it('before any set is had leaves nothing to decide with, and is over when the issuer answers', async () => {
    const { answers } = issuer
    const saved = [...answers]
    issuer.goDown()
    await expect(kids('a')).rejects.toThrow(Unavailable)
    await expect(keys.load()).rejects.toThrow(Unavailable)
    for (const [url, answer] of saved) answers.set(url, answer)
    issuer.now += 1
    expect(await kids('a')).toEqual(['a'])
  })

  it('keeps the known keys for an hour past their age, and no longer', async () => {
    await kids('a')
    issuer.goDown()
    issuer.now += 300 + 3599
    expect(await kids('a')).toEqual(['a'])
    issuer.now += 31
    await expect(kids('a')).rejects.toThrow(Unavailable)
  })

  it('is asked about ever more rarely: at most every second, at least every thirty', async () => {
    await kids('a')
    issuer.goDown()
    issuer.now += 300
    const attempts: number[] = []
    for (let i = 0; i < 1200; i++) {
      const before = issuer.requests.length
      expect(await kids('a')).toEqual(['a'])
      if (issuer.requests.length > before) attempts.push(issuer.now)
      issuer.now += 0.25
    }
    const gaps = attempts.slice(1).map((time, i) => time - (attempts[i] as number))
    expect(gaps.slice(0, 6)).toEqual([1, 2, 4, 8, 16, 30])
    expect(Math.max(...gaps)).toBe(30)
  })

  it('says when to ask again', async () => {
    issuer.goDown()
    const failure = await kids('a').then(
      () => undefined,
      (error: unknown) => error,
    )
    expect(failure).toBeInstanceOf(Unavailable)
    expect((failure as Unavailable).reason).toBe('keys_unavailable')
    expect((failure as Unavailable).retryAfter).toBe(1)
  })

  it('says so from the time of the failure, however long that took to come', async () => {
    issuer.answerKeys(() => {
      issuer.now += 4
      return new Response(null, { status: 500 })
    })
    await expect(kids('a')).rejects.toMatchObject({ retryAfter: 1 })
  })
})

describe('a clock that is set back', () => {
  it('makes a set old, not young', async () => {
    await kids('a')
    issuer.publish([B])
    issuer.now -= 3600
    expect(await kids('b')).toEqual(['b'])
  })

  it('does not make anybody wait for the time that has already been', async () => {
    issuer.goDown()
    await expect(kids('a')).rejects.toThrow(Unavailable)
    issuer.now -= 3600
    for (const [url, answer] of new FakeIssuer(A).answers) issuer.answers.set(url, answer)
    expect(await kids('a')).toEqual(['a'])
  })

  it('does not stop new keys from being found', async () => {
    await kids('a')
    await kids('nobody')
    issuer.now -= 3600
    await kids('a')
    issuer.publish([A, B])
    expect(await kids('b')).toEqual(['b'])
  })
})

/** Lets everything that waits for nothing but promises run. */
const settle = () => new Promise((resolve) => setImmediate(resolve))

describe('a request that was cut off while it fetched', () => {
  beforeEach(() => {
    vi.useFakeTimers(CUT_OFF_TIMERS)
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it.each(['metadata', 'keys'])('%s leaves it to the next one', async (what) => {
    const answers = new Map(issuer.answers)
    const url = [...answers.keys()].find((known) => (what === 'keys') === known.endsWith('/jwks')) as string
    issuer.answers.set(url, silence)
    await cutOff(() => kids('a'))
    issuer.answers.set(url, answers.get(url)!)
    const found = kids('a')
    await vi.advanceTimersByTimeAsync(16_000)
    expect(await found).toEqual(['a'])
    expect(issuer.fetches).toBe(what === 'keys' ? 2 : 1)
  })

  it('keys in the background leaves them usable, and to be fetched when they are needed', async () => {
    const key = await sole('a')
    const answer = [...issuer.answers.values()].at(-1)!
    issuer.answerKeys(silence)
    issuer.now += 150
    await cutOff(() => expect(keys.holds(key)).toBe(true))
    issuer.answerKeys(answer)
    expect(await kids('a')).toEqual(['a'])
    issuer.now += 600
    vi.advanceTimersByTime(600_000)
    expect(await kids('a')).toEqual(['a'])
    expect(keys.holds(key)).toBe(true)
    expect(issuer.fetches).toBe(3)
  })
})
