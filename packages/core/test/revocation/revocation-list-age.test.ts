import { afterEach, describe, expect, it, vi } from 'vitest'
import { Unavailable } from '../../src/refusal.ts'
import { revocationList } from '../../src/revocation/revocation-list.ts'
import type { RevocationFeed } from '../../src/revocation/source.ts'
import { ListIssuer } from './list-issuer.ts'
import { NOW, tokenOf } from './tokens.ts'

const X = NOW + 86_400
const soon = (assertion: () => void) => vi.waitFor(assertion, { interval: 2, timeout: 10_000 })
const follows = (issuer: ListIssuer) => soon(() => expect(issuer.waiting).toBe(1))
const open: RevocationFeed[] = []

/** An issuer with one rule, and a feed that follows it. */
async function following() {
  const issuer = new ListIssuer()
  issuer.revoke({ k: 'cid', v: 'bad', x: X })
  const feed = revocationList().open(issuer.context)
  open.push(feed)
  await feed.ready()
  await follows(issuer)
  return { issuer, feed, context: issuer.context }
}

const bad = tokenOf({ clientId: 'bad' })
const good = tokenOf()

afterEach(() => {
  for (const feed of open.splice(0)) feed.close()
})

describe('The age of a revocation list', () => {
  it('lets it decide silently for 5 seconds, with one report for 60, and not longer', async () => {
    const { issuer, feed, context } = await following()
    issuer.down = true
    context.now = NOW + 5
    expect([feed.check(good, ''), feed.check(bad, '')]).toEqual(['active', 'revoked'])
    expect(context.reports).toEqual([])
    context.now = NOW + 5.1
    expect([feed.check(good, ''), feed.check(good, ''), feed.check(bad, '')]).toEqual([
      'active',
      'active',
      'revoked',
    ])
    expect(context.reports).toEqual(['the revocation list is 5 seconds old; it decides until it is 60'])
    context.now = NOW + 60
    expect(feed.check(good, '')).toBe('active')
    context.now = NOW + 60.1
    issuer.release()
    const refused = await Promise.resolve(feed.check(good, '')).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(Unavailable)
    expect(refused).toMatchObject({ reason: 'revocation_unavailable' })
    expect((refused as Unavailable).retryAfter).toBeGreaterThanOrEqual(1)
    await expect(feed.ready()).rejects.toBeInstanceOf(Unavailable)
    expect(feed.check(bad, '')).toBe('revoked')
  })

  it('refuses nobody through an outage of 50 seconds; after 70 it recovers by itself', async () => {
    const { issuer, feed, context } = await following()
    for (const outage of [50, 70]) {
      issuer.down = true
      issuer.pass(outage)
      if (outage === 50) expect(feed.check(good, '')).toBe('active')
      else await expect(feed.check(good, '')).rejects.toBeInstanceOf(Unavailable)
      await soon(() => expect(context.reports.at(-1)).toMatch('connection re'))
      issuer.down = false
      await follows(issuer)
      expect([feed.check(good, ''), feed.check(bad, '')]).toEqual(['active', 'revoked'])
    }
  })

  it('is measured by the monotonic clock too: setting the clock back keeps nothing fresh', async () => {
    const { issuer, feed, context } = await following()
    issuer.down = true
    context.now = NOW - 3600
    const monotonic = vi.spyOn(performance, 'now')
    try {
      const tick = performance.now()
      monotonic.mockReturnValue(tick + 59_000)
      // A jump that the loop has not seen: it is tried once more before the list decides.
      expect(await feed.check(good, '')).toBe('active')
      expect(context.reports).toEqual([
        expect.stringMatching('not renewed: .*connection refused'),
        'the revocation list is 59 seconds old; it decides until it is 60',
      ])
      monotonic.mockReturnValue(tick + 61_000)
      issuer.release()
      await expect(feed.check(good, '')).rejects.toBeInstanceOf(Unavailable)
    } finally {
      monotonic.mockRestore()
    }
  })

  it('counts from the date of the issuer, however late the list comes', async () => {
    const { issuer, feed, context } = await following()
    issuer.tamper = (claims) => ({ ...claims, iat: NOW, exp: NOW + 300 })
    issuer.pass(20)
    await follows(issuer)
    expect(feed.check(good, '')).toBe('active')
    expect(context.reports).toEqual(['the revocation list is 15 seconds old; it decides until it is 60'])
    issuer.pass(45)
    await soon(() => expect(context.reports.at(-1)).toMatch('it is too old'))
    context.now += 1
    await expect(feed.check(good, '')).rejects.toBeInstanceOf(Unavailable)
  })

  it('is unknown until the first load: a failed attempt refuses at once, saying why', async () => {
    const issuer = new ListIssuer()
    issuer.down = true
    const feed = revocationList().open(issuer.context)
    open.push(feed)
    const refused = await Promise.resolve(feed.check(good, '')).catch((error: unknown) => error)
    expect(refused).toMatchObject({ reason: 'revocation_unavailable', retryAfter: 1 })
    expect((refused as Unavailable).message).toMatch('no answer')
    await expect(feed.check(good, '')).rejects.toBeInstanceOf(Unavailable)
    // Neither has waited for another attempt.
    expect(issuer.context.requests).toHaveLength(1)
  })

  it('lets ready() wait for an issuer that starts a little later', async () => {
    const issuer = new ListIssuer()
    issuer.down = true
    const feed = revocationList().open(issuer.context)
    open.push(feed)
    const ready = feed.ready()
    await soon(() => expect(issuer.context.reports.length).toBeGreaterThan(0))
    issuer.down = false
    await ready
    expect(feed.check(good, '')).toBe('active')
  })

  it('does not let an answer that never comes hold a request for more than 5 seconds', async () => {
    const issuer = new ListIssuer()
    issuer.context.answer = () => new Promise(() => undefined)
    const feed = revocationList().open(issuer.context)
    open.push(feed)
    // The fetch itself would go on for ten, and then say that there was no answer.
    await expect(feed.check(good, '')).rejects.toMatchObject({
      message: expect.stringMatching('not loaded in time'),
    })
  })
})

describe('An issuer that counts from the beginning', () => {
  it('is reported and followed, and nothing that was revoked is forgotten', async () => {
    const { issuer, feed, context } = await following()
    issuer.revoke({ k: 'cid', v: 'worse', x: X })
    await follows(issuer)
    issuer.context.now += 2
    issuer.restart()
    issuer.revoke({ k: 'cid', v: 'new', x: X })
    await soon(() => expect(feed.check(tokenOf({ clientId: 'new' }), '')).toBe('revoked'))
    await follows(issuer)
    expect(context.reports).toEqual([
      'the revocation list is not renewed: seq went back from 2 to 1',
      'seq went back from 2 to 1: the issuer has lost its count; nothing that was revoked is forgotten',
    ])
    for (const clientId of ['bad', 'worse']) expect(feed.check(tokenOf({ clientId }), '')).toBe('revoked')
    expect(feed.check(good, '')).toBe('active')
    issuer.revoke({ k: 'cid', v: 'newer', x: X })
    await soon(() => expect(feed.check(tokenOf({ clientId: 'newer' }), '')).toBe('revoked'))
  })

  it('is noticed also where its count has caught up, as a lost connection loads everything', async () => {
    const { issuer, feed } = await following()
    issuer.down = true
    issuer.restart()
    await soon(() => expect(issuer.context.reports).not.toEqual([]))
    for (const v of ['one', 'two', 'three']) issuer.revoke({ k: 'cid', v, x: X })
    issuer.down = false
    await soon(() => expect(feed.check(tokenOf({ clientId: 'one' }), '')).toBe('revoked'))
    expect(feed.check(bad, '')).toBe('revoked')
  })

  it('is not believed in a list that is not newer than those seen', async () => {
    const { issuer, feed, context } = await following()
    issuer.pass(10)
    await follows(issuer)
    issuer.tamper = (claims) => ({ ...claims, iat: NOW + 9, seq: 0, rules: [] })
    issuer.release()
    await soon(() =>
      expect(context.reports.at(-1)).toMatch('seq went back from 1 to 0 in a list that is not newer'),
    )
    expect(feed.check(bad, '')).toBe('revoked')
    context.now += 61
    await expect(feed.check(good, '')).rejects.toBeInstanceOf(Unavailable)
  })
})
