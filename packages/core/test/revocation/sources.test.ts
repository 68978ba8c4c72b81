import { deflateSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { Refusal, Unavailable } from '../../src/refusal.ts'
import { advertised } from '../../src/revocation/advertised-feed.ts'
import { combineFeeds } from '../../src/revocation/combined-feed.ts'
import type { RevocationFeed, RevocationVerdict } from '../../src/revocation/source.ts'
import { FakeContext, LIST_URI, sign } from './fake-context.ts'
import { ListIssuer } from './list-issuer.ts'
import { ISSUER, NOW, tokenOf } from './tokens.ts'

const X = NOW + 86_400
const open: RevocationFeed[] = []

afterEach(() => {
  for (const feed of open.splice(0)) feed.close()
})

function auto(context: FakeContext): RevocationFeed {
  const feed = advertised().open(context)
  open.push(feed)
  return feed
}

describe('What an issuer advertises', () => {
  it('is the revocation list, and tells listeners of its news', async () => {
    const issuer = new ListIssuer()
    issuer.revoke({ k: 'cid', v: 'bad', x: X })
    const feed = auto(issuer.context)
    let told = 0
    feed.onChange?.(() => told++)
    expect(await feed.check(tokenOf({ clientId: 'bad' }), '')).toBe('revoked')
    expect(feed.check(tokenOf(), '')).toBe('active')
    expect(told).toBe(1)
  })

  it('is followed also when the metadata no longer says so, or cannot be had', async () => {
    const issuer = new ListIssuer()
    issuer.revoke({ k: 'cid', v: 'bad', x: X })
    const feed = auto(issuer.context)
    await feed.ready()
    for (const metadata of [{}, undefined]) {
      issuer.context.advertises = metadata
      issuer.context.now += 61
      expect(await feed.check(tokenOf({ clientId: 'bad' }), '')).toBe('revoked')
    }
  })

  it('is the status list where it advertises those and no revocation list', async () => {
    const uri = `${ISSUER}/status/1`
    const list = { bits: 1, lst: deflateSync(Uint8Array.of(2)).toString('base64url') }
    const claims = { iss: ISSUER, sub: uri, iat: NOW, status_list: list }
    const context = new FakeContext(async () => new Response(await sign(claims, 'statuslist+jwt')))
    const token = (idx: number) => tokenOf({ claims: { status: { status_list: { idx, uri } } } as never })
    context.advertises = { status_list_aggregation_endpoint: `${ISSUER}/status` }
    const feed = auto(context)
    expect(await feed.check(token(1), '')).toBe('revoked')
    expect(feed.check(token(0), '')).toBe('active')
    context.advertises = { ...context.advertises, revocation_list_uri: LIST_URI }
    await expect(auto(context).check(token(0), '')).rejects.toBeInstanceOf(Unavailable)
  })

  it('is nothing where it advertises nothing; that is looked at again after a minute', async () => {
    const issuer = new ListIssuer()
    issuer.revoke({ k: 'cid', v: 'bad', x: X })
    issuer.context.advertises = {}
    const feed = auto(issuer.context)
    const bad = tokenOf({ clientId: 'bad' })
    expect(await feed.check(bad, '')).toBe('active')
    issuer.context.advertises = { revocation_list_uri: LIST_URI }
    issuer.context.now += 59
    expect(feed.check(bad, '')).toBe('active')
    issuer.context.now += 1
    expect(await feed.check(bad, '')).toBe('revoked')
  })

  it('is not known before the metadata is: nothing is decided, and nothing is taken for granted', async () => {
    const issuer = new ListIssuer()
    issuer.context.advertises = undefined
    const feed = auto(issuer.context)
    await expect(feed.check(tokenOf(), '')).rejects.toBeInstanceOf(Unavailable)
    await expect(feed.ready()).rejects.toBeInstanceOf(Unavailable)
    issuer.context.advertises = { revocation_list_uri: LIST_URI }
    await feed.ready()
    expect(feed.check(tokenOf(), '')).toBe('active')
  })

  it('is not opened after all when the guard was closed meanwhile', async () => {
    const issuer = new ListIssuer()
    const feed = auto(issuer.context)
    const check = Promise.resolve(feed.check(tokenOf(), ''))
    feed.close()
    await expect(check).rejects.toBeInstanceOf(Unavailable)
    expect(issuer.context.requests).toEqual([])
  })
})

describe('Several sources at once', () => {
  const saying = (answer: () => RevocationVerdict | Promise<RevocationVerdict>): RevocationFeed => ({
    check: answer,
    ready: async () => undefined,
    close: () => undefined,
  })
  const active = saying(() => 'active')
  const revoked = saying(() => 'revoked')
  const later = (feed: RevocationFeed) => saying(async () => await feed.check(tokenOf(), ''))
  const unknown = saying(() => {
    throw new Unavailable('revocation_unavailable')
  })
  const broken = saying(() => {
    throw new RangeError('a mistake in it')
  })
  const nonsense = saying(() => 'fine' as never)
  const decide = async (...feeds: RevocationFeed[]) => await combineFeeds(feeds).check(tokenOf(), '')

  it('say active only if all do', async () => {
    expect(combineFeeds([]).check(tokenOf(), '')).toBe('active')
    expect(combineFeeds([active, active]).check(tokenOf(), '')).toBe('active')
    expect(await decide(active, later(active))).toBe('active')
  })

  it('say revoked if any does, whatever becomes of the others', async () => {
    for (const other of [active, later(active), unknown, later(unknown), broken, nonsense]) {
      expect(await decide(other, revoked)).toBe('revoked')
      expect(await decide(revoked, other)).toBe('revoked')
      expect(await decide(other, later(revoked))).toBe('revoked')
      expect(await decide(later(revoked), other)).toBe('revoked')
    }
  })

  it('cannot say otherwise if any cannot', async () => {
    for (const other of [unknown, later(unknown), broken, later(broken), nonsense, later(nonsense)]) {
      await expect(decide(active, other)).rejects.toBeInstanceOf(Unavailable)
      await expect(decide(later(active), other)).rejects.toBeInstanceOf(Unavailable)
    }
  })

  it('refuse a token that one of them finds malformed', async () => {
    const refusing = saying(() => {
      throw new Refusal('token_claims_invalid')
    })
    await expect(decide(active, refusing)).rejects.toBeInstanceOf(Refusal)
  })
})
