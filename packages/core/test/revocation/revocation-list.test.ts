import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { ConfigurationError } from '../../src/refusal.ts'
import { revocationList } from '../../src/revocation/revocation-list.ts'
import type { RevocationFeed } from '../../src/revocation/source.ts'
import { LIST_URI } from './fake-context.ts'
import { ListIssuer } from './list-issuer.ts'
import { NOW, tokenOf } from './tokens.ts'

const X = NOW + 86_400
const open: RevocationFeed[] = []

function follow(issuer: ListIssuer, options = {}): RevocationFeed {
  const feed = revocationList(options).open(issuer.context)
  open.push(feed)
  return feed
}

const soon = (assertion: () => void) => vi.waitFor(assertion, { interval: 2, timeout: 5000 })
/** What was asked, and that all of it was asked under one name. */
function questions({ context }: ListIssuer): string[] {
  const urls = context.requests.map((url) => new URL(url))
  expect(new Set(urls.map(({ searchParams }) => searchParams.get('guard')))).toHaveLength(1)
  for (const { searchParams } of urls) searchParams.delete('guard')
  return urls.map(String)
}
const follows = (issuer: ListIssuer) => soon(() => expect(issuer.waiting).toBe(1))

afterEach(() => {
  for (const feed of open.splice(0)) feed.close()
})

describe('A revocation list', () => {
  it('is not asked for before the first token, and decides it once loaded', async () => {
    const issuer = new ListIssuer()
    issuer.revoke({ k: 'cid', v: 'agent-2', x: X })
    const feed = follow(issuer)
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(issuer.context.requests).toEqual([])
    const decisions = ['agent-1', 'agent-2', 'agent-2'].map((clientId) =>
      feed.check(tokenOf({ clientId }), ''),
    )
    expect(await Promise.all(decisions)).toEqual(['active', 'revoked', 'revoked'])
    expect(questions(issuer).filter((url) => url === LIST_URI)).toHaveLength(1)
    expect(feed.check(tokenOf(), '')).toBe('active')
    expect(feed.check(tokenOf({ clientId: 'agent-2' }), '')).toBe('revoked')
  })

  it('is loaded whole, then followed over one connection with since and wait', async () => {
    const issuer = new ListIssuer()
    issuer.revoke({ k: 'jti', v: 'a', x: X })
    const feed = follow(issuer, { wait: 2 })
    await feed.ready()
    await follows(issuer)
    issuer.revoke({ k: 'jti', v: 'b', x: X })
    await soon(() => expect(feed.check(tokenOf({ id: 'b' }), '')).toBe('revoked'))
    await follows(issuer)
    expect(questions(issuer)).toEqual([LIST_URI, `${LIST_URI}?since=1&wait=2`, `${LIST_URI}?since=2&wait=2`])
  })

  it('keeps the query of the URI it was given, which goes before the advertised one', async () => {
    const issuer = new ListIssuer()
    issuer.context.advertises = undefined
    const feed = follow(issuer, { uri: 'https://lists.example.com/r?tenant=1' })
    await feed.ready()
    await follows(issuer)
    expect(questions(issuer)).toEqual([
      'https://lists.example.com/r?tenant=1',
      'https://lists.example.com/r?tenant=1&since=0&wait=3',
    ])
  })

  it('tells its listeners of new rules, not of silence or repetition, until they have enough', async () => {
    const issuer = new ListIssuer()
    const feed = follow(issuer)
    await feed.ready()
    const listener = vi.fn()
    const undo = feed.onChange?.(listener)
    await follows(issuer)
    issuer.pass(1)
    await follows(issuer)
    expect(listener).not.toHaveBeenCalled()
    issuer.revoke({ k: 'jti', v: 'a', x: X })
    await follows(issuer)
    expect(listener).toHaveBeenCalledTimes(1)
    issuer.revoke({ k: 'jti', v: 'a', x: X })
    await follows(issuer)
    expect(listener).toHaveBeenCalledTimes(1)
    undo?.()
    issuer.revoke({ k: 'jti', v: 'b', x: X })
    await follows(issuer)
    expect(listener).toHaveBeenCalledTimes(1)
  })

  it('is not asked for without end where the issuer does not wait', async () => {
    const issuer = new ListIssuer()
    const feed = follow(issuer)
    await feed.ready()
    const wake = setInterval(() => issuer.release(), 1)
    await new Promise((resolve) => setTimeout(resolve, 500))
    clearInterval(wake)
    expect(issuer.context.requests.length).toBeLessThanOrEqual(3)
  })

  it('is loaded whole again every five minutes', async () => {
    const issuer = new ListIssuer()
    issuer.revoke({ k: 'jti', v: 'a', x: X })
    const feed = follow(issuer)
    await feed.ready()
    await follows(issuer)
    issuer.pass(299)
    await follows(issuer)
    issuer.pass(1)
    await soon(() => expect(questions(issuer)).toHaveLength(4))
    await follows(issuer)
    expect(questions(issuer).map((url) => url.slice(LIST_URI.length))).toEqual([
      '',
      '?since=1&wait=3',
      '?since=1&wait=3',
      '',
      '?since=1&wait=3',
    ])
  })

  it('comes back with what it has applied before any time has passed, so that the issuer knows', async () => {
    const issuer = new ListIssuer()
    const feed = follow(issuer)
    await feed.ready()
    await follows(issuer)
    const answer = issuer.context.answer
    const applied: unknown[] = []
    issuer.context.answer = (url, init) => {
      if (url.searchParams.get('since') === '1') applied.push(feed.check(tokenOf({ id: 'a' }), ''))
      return answer(url, init)
    }
    await new Promise((resolve) => setTimeout(resolve, 30))
    issuer.revoke({ k: 'jti', v: 'a', x: X })
    await soon(() => expect(applied).toEqual(['revoked']))
  })

  it('goes by another name in each guard', async () => {
    const issuer = new ListIssuer()
    await Promise.all([follow(issuer).ready(), follow(issuer).ready()])
    await soon(() => expect(issuer.waiting).toBe(2))
    const names = issuer.context.requests.map(({ searchParams }) => searchParams.get('guard'))
    expect(new Set(names)).toHaveLength(2)
    for (const name of names) expect(name).toMatch(/^[\da-f-]{36}$/)
  })

  it('is asked for in batches where news never stops', async () => {
    const issuer = new ListIssuer()
    const feed = follow(issuer)
    await feed.ready()
    await follows(issuer)
    let count = 0
    const asked = issuer.context.requests.length
    const news = setInterval(() => issuer.revoke({ k: 'jti', v: `${count++}`, x: X }), 1)
    await new Promise((resolve) => setTimeout(resolve, 500))
    clearInterval(news)
    expect(issuer.context.requests.length - asked).toBeLessThanOrEqual(26)
    await soon(() => expect(feed.check(tokenOf({ id: `${count - 1}` }), '')).toBe('revoked'))
  })

  it('lets go of every question that has been answered', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const issuer = new ListIssuer()
    const asked: WeakRef<AbortSignal>[] = []
    const answer = issuer.context.answer
    issuer.context.answer = (url, init) => {
      asked.push(new WeakRef(init.signal!))
      return answer(url, init)
    }
    const feed = follow(issuer)
    await feed.ready()
    for (let count = 0; count < 30; count++) {
      await soon(() => expect(issuer.waiting).toBe(1))
      issuer.revoke({ k: 'jti', v: `${count}`, x: X })
    }
    await follows(issuer)
    await vi.waitFor(() => {
      collect()
      expect(asked.filter((signal) => signal.deref() !== undefined).length).toBeLessThan(5)
    }, 10_000)
    expect(asked.length).toBeGreaterThan(20)
  })

  it('ends its connection when closed, reports nothing then, and knows what it knew', async () => {
    const issuer = new ListIssuer()
    issuer.revoke({ k: 'jti', v: 'a', x: X })
    const feed = follow(issuer)
    await feed.ready()
    await follows(issuer)
    feed.close()
    feed.close()
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(issuer.context.requests).toHaveLength(2)
    expect(issuer.context.reports).toEqual([])
    expect(feed.check(tokenOf({ id: 'a' }), '')).toBe('revoked')
    issuer.context.now += 61
    await expect(feed.check(tokenOf(), '')).rejects.toMatchObject({ reason: 'revocation_unavailable' })
    await expect(feed.ready()).rejects.toMatchObject({ reason: 'revocation_unavailable' })
  })

  it.each([
    [{ wait: 0 }, 'revocationList.wait'],
    [{ wait: 5 }, 'revocationList.wait'],
    [{ wait: '3' }, 'revocationList.wait'],
    [{ uri: 'lists' }, 'revocationList.uri'],
    [{ uri: 'ftp://as.example.com/' }, 'revocationList.uri'],
    [{ url: LIST_URI }, 'revocationList.url'],
    [null, 'revocationList'],
  ])('cannot be configured with %j', (options, option) => {
    expect(() => revocationList(options as never)).toThrow(ConfigurationError)
    expect(() => revocationList(options as never)).toThrow(option)
  })
})
