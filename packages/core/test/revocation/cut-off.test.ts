import { deflateSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Unavailable } from '../../src/refusal.ts'
import { advertised } from '../../src/revocation/advertised-feed.ts'
import { introspection } from '../../src/revocation/introspection.ts'
import { revocationList } from '../../src/revocation/revocation-list.ts'
import type { RevocationFeed } from '../../src/revocation/source.ts'
import { statusList } from '../../src/revocation/status-list.ts'
import { CUT_OFF_TIMERS, cutOff, silence } from '../support/cut-off.ts'
import { counted, FakeContext, idle, sign } from './fake-context.ts'
import { ListIssuer } from './list-issuer.ts'
import { ISSUER, NOW, tokenOf } from './tokens.ts'

const X = NOW + 86_400
const open: RevocationFeed[] = []

beforeEach(() => {
  vi.useFakeTimers(CUT_OFF_TIMERS)
})

afterEach(() => {
  for (const feed of open.splice(0)) feed.close()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

function opened(feed: RevocationFeed): RevocationFeed {
  open.push(feed)
  return feed
}

/** What it comes to within some seconds, during which timers run. */
async function inTime<T>(seconds: number, promise: T | Promise<T>): Promise<T> {
  let outcome: PromiseSettledResult<T> | undefined
  void Promise.allSettled([promise]).then(([settled]) => {
    outcome = settled
  })
  await idle()
  for (let ticks = 0; ticks < seconds * 10 && outcome === undefined; ticks++) {
    await vi.advanceTimersByTimeAsync(100)
    await idle()
  }
  if (outcome === undefined) throw new Error(`not in ${seconds} seconds`)
  if (outcome.status === 'rejected') throw outcome.reason
  return outcome.value
}

describe('A revocation list that nobody follows any more', () => {
  const good = tokenOf()
  const bad = tokenOf({ clientId: 'bad' })

  /** A feed with a list, whose next question was cut off. */
  async function left() {
    const issuer = new ListIssuer()
    const feed = opened(revocationList().open(issuer.context))
    expect(await inTime(1, feed.check(good, ''))).toBe('active')
    const { answer } = issuer.context
    issuer.context.answer = silence
    await cutOff(() => vi.advanceTimersByTimeAsync(20))
    expect(issuer.context.requests.splice(0)).toHaveLength(2)
    issuer.context.answer = answer
    return { issuer, feed, context: issuer.context }
  }

  async function pass(context: FakeContext, seconds: number) {
    context.now += seconds
    await vi.advanceTimersByTimeAsync(seconds * 1000)
  }

  it('decides while it is fresh', async () => {
    const { feed, context } = await left()
    await pass(context, 5)
    expect(feed.check(good, '')).toBe('active')
    expect(context.requests).toEqual([])
  })

  it('decides and is reported while the question may still be answered', async () => {
    const { feed, context } = await left()
    await pass(context, 8.9)
    expect(feed.check(good, '')).toBe('active')
    expect(context.requests).toEqual([])
    expect(context.reports).toEqual([expect.stringMatching('the revocation list is 9 seconds old')])
  })

  it.each([9.1, 55, 600])('is asked for by the request that needs it %d seconds later', async (seconds) => {
    const { issuer, feed, context } = await left()
    await pass(context, seconds)
    issuer.revoke({ k: 'cid', v: 'bad', x: X })
    expect(await inTime(1, feed.check(bad, ''))).toBe('revoked')
    expect(feed.check(good, '')).toBe('active')
    expect(context.reports).toEqual([])
    // Nobody is made to wait for news, and the issuer waits for nobody, unless all rules are due again.
    const questions = context.requests.map(({ search }) => search)
    expect(questions).toEqual([seconds < 300 ? '?since=0' : expect.stringMatching(/^\?guard=[^&]*$/)])
  })

  it('is asked for once by all requests that come together, and followed on where one lasts', async () => {
    const { issuer, feed, context } = await left()
    await pass(context, 55)
    issuer.revoke({ k: 'cid', v: 'bad', x: X })
    const verdicts = Array.from({ length: 10 }, () => feed.check(bad, ''))
    expect(new Set(await inTime(1, Promise.all(verdicts)))).toEqual(new Set(['revoked']))
    expect(context.requests).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(50)
    expect(context.requests.map(({ search }) => search)[1]).toMatch(/^\?since=1&guard=.*&wait=3$/)
  })

  it('is asked for again when the request that asked was cut off too', async () => {
    const { issuer, feed, context } = await left()
    await pass(context, 20)
    const { answer } = context
    context.answer = silence
    await cutOff(() => feed.check(good, ''))
    context.answer = answer
    issuer.revoke({ k: 'cid', v: 'bad', x: X })
    // Nothing is known but that the attempt may still succeed: then what is known decides, …
    expect(await inTime(5.1, feed.check(good, ''))).toBe('active')
    await pass(context, 11)
    // … until it cannot.
    expect(await inTime(1, feed.check(bad, ''))).toBe('revoked')
  })

  it('decides for 60 seconds when it cannot be had, and one request at a time asks again', async () => {
    const { issuer, feed, context } = await left()
    issuer.down = true
    await pass(context, 20)
    const verdicts: unknown[] = []
    await cutOff(async () => verdicts.push(await feed.check(good, '')))
    expect(verdicts).toEqual(['active'])
    expect(context.reports).toEqual([
      expect.stringMatching('not renewed: .*connection refused'),
      expect.stringMatching('20 seconds old'),
    ])
    expect(feed.check(good, '')).toBe('active')
    expect(context.requests).toHaveLength(1)
    await pass(context, 2)
    context.answer = silence
    await cutOff(() => {
      const asking = feed.check(good, '')
      expect(feed.check(good, '')).toBe('active')
      return asking
    })
    expect(context.requests).toHaveLength(2)
    await pass(context, 39)
    await expect(inTime(6, feed.check(good, ''))).rejects.toBeInstanceOf(Unavailable)
  })

  it('is had by another request when the first one of all was cut off', async () => {
    const issuer = new ListIssuer()
    const { answer } = issuer.context
    issuer.context.answer = silence
    const feed = opened(revocationList().open(issuer.context))
    await cutOff(() => feed.check(good, ''))
    issuer.context.answer = answer
    await expect(inTime(5.1, feed.check(good, ''))).rejects.toBeInstanceOf(Unavailable)
    await vi.advanceTimersByTimeAsync(11_000)
    expect(await inTime(1, feed.check(good, ''))).toBe('active')
  })

  it('lets ready() begin anew', async () => {
    const { feed, context } = await left()
    await pass(context, 100)
    await inTime(1, feed.ready())
    expect(feed.check(good, '')).toBe('active')
  })
})

describe('Metadata that says what there is', () => {
  it('is looked at by another request when the first one was cut off, and opens one feed', async () => {
    const bad = tokenOf({ clientId: 'bad' })
    const [other, issuer] = [new ListIssuer(), new ListIssuer()]
    for (const each of [other, issuer]) each.revoke({ k: 'cid', v: 'bad', x: X })
    expect(await inTime(1, opened(advertised().open(other.context)).check(bad, ''))).toBe('revoked')

    const answers: (() => void)[] = []
    const { metadata } = issuer.context
    Object.assign(issuer.context, {
      metadata: () => new Promise((resolve) => answers.push(() => resolve(metadata()))),
    })
    const feed = opened(advertised().open(issuer.context))
    await cutOff(() => feed.check(bad, ''))
    const verdict = Promise.resolve(feed.check(bad, ''))
    await vi.advanceTimersByTimeAsync(11_000)
    expect(answers).toHaveLength(2)
    Object.assign(issuer.context, { metadata })
    for (const answer of answers) answer()
    expect(await inTime(1, verdict)).toBe('revoked')
    const names = issuer.context.requests.map(({ searchParams }) => searchParams.get('guard'))
    expect(new Set(names)).toHaveLength(1)
  })
})

describe('A status list', () => {
  beforeEach(() => {
    const Inflation = DecompressionStream
    /** The same, and its work is known. */
    function CountedInflation(...of: ConstructorParameters<typeof DecompressionStream>) {
      const { readable, writable } = new Inflation(...of)
      let flush = () => {}
      void counted(
        new Promise<void>((resolve) => {
          flush = resolve
        }),
      )
      return { writable, readable: readable.pipeThrough(new TransformStream({ flush })) }
    }
    vi.stubGlobal('DecompressionStream', CountedInflation)
  })

  const referring = (uri: string) =>
    tokenOf({ claims: { status: { status_list: { idx: 0, uri } } } as never })
  const lst = deflateSync(Uint8Array.of(0)).toString('base64url')
  const answer = async (url: URL) => {
    const claims = { iss: ISSUER, sub: url.href, iat: NOW, status_list: { bits: 1, lst } }
    return new Response(await sign(claims, 'statuslist+jwt'))
  }

  it('is loaded by another request when the first one was cut off, however many lists were', async () => {
    const context = new FakeContext(answer)
    const feed = opened(statusList().open(context))
    expect(await inTime(1, feed.check(referring(`${ISSUER}/0`), ''))).toBe('active')
    context.answer = silence
    for (let count = 1; count <= 16; count++)
      await cutOff(() => feed.check(referring(`${ISSUER}/${count}`), ''))
    context.answer = answer
    await expect(inTime(1, feed.check(referring(`${ISSUER}/17`), ''))).rejects.toThrow('too many at once')
    expect(await inTime(22, feed.check(referring(`${ISSUER}/1`), ''))).toBe('active')
    expect(await inTime(1, feed.check(referring(`${ISSUER}/17`), ''))).toBe('active')
  })

  it('is renewed by another request when the renewal in the background was cut off', async () => {
    const context = new FakeContext(answer)
    const feed = opened(statusList().open(context))
    await inTime(1, feed.check(referring(`${ISSUER}/0`), ''))
    context.answer = silence
    context.now += 45
    await cutOff(() => expect(feed.check(referring(`${ISSUER}/0`), '')).toBe('active'))
    context.answer = answer
    context.now += 20
    await vi.advanceTimersByTimeAsync(22_000)
    expect(await inTime(1, feed.check(referring(`${ISSUER}/0`), ''))).toBe('active')
    expect(context.requests).toHaveLength(3)
  })
})

describe('A question about a token', () => {
  it('is asked by another request when the first one was cut off, however many were', async () => {
    const active = () => Response.json({ active: true })
    const context = new FakeContext(active)
    context.advertises = { introspection_endpoint: `${ISSUER}/introspect` }
    const feed = opened(introspection({ clientId: 'rs', clientSecret: 'secret' }).open(context))
    expect(await inTime(1, feed.check(tokenOf(), 't'))).toBe('active')
    const token = tokenOf()
    context.answer = silence
    await cutOff(() => {
      const others = Array.from({ length: 999 }, () => feed.check(tokenOf(), 't'))
      return Promise.all([feed.check(token, 't'), ...others])
    })
    context.answer = active
    expect(await inTime(1.6, feed.check(token, 't'))).toBe('active')
    expect(await inTime(1, feed.check(tokenOf(), 't'))).toBe('active')
  })
})
