import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Outcome, Site } from './served/site.ts'
import { sleep } from './served/workerd.ts'

/** Less than any of the guard's own time limits: nobody has waited for what never comes. */
const SOON = 2
const ALLOWED = { status: 200, seconds: expect.toSatisfy((seconds: number) => seconds < SOON) }

let site: Site
beforeAll(async () => {
  site = await Site.start()
})
beforeEach(() => site.restart())
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.log(site.questions, site.output)
})
afterAll(() => site?.close())

const ask = async () => site.ask(await site.token())

/** Asks now and then until the answer is another. @returns the last answer, and after how many seconds it came */
async function untilNot(status: number, accessToken: string): Promise<Outcome & { after: number }> {
  const started = performance.now()
  for (;;) {
    const outcome = await site.ask(accessToken)
    const after = (performance.now() - started) / 1000
    if (outcome.status !== status || after > 60) return { ...outcome, after }
    await sleep(0.5)
  }
}

describe('workerd, one isolate for many requests,', () => {
  it('lets in the first request, and those after it from memory', async () => {
    for (let count = 0; count < 5; count++) expect(await ask()).toEqual(ALLOWED)
    expect(await Promise.all(Array.from({ length: 20 }, ask))).toEqual(Array(20).fill(ALLOWED))
    expect(site.questions).toHaveLength(3)
  })

  it('lets in twenty first requests at once', async () => {
    expect(await Promise.all(Array.from({ length: 20 }, ask))).toEqual(Array(20).fill(ALLOWED))
    expect(site.questions).toHaveLength(3)
  })

  it('lets in after ten minutes, when keys and revocations have expired', async () => {
    expect(await ask()).toEqual(ALLOWED)
    await site.pass(600)
    expect(await Promise.all(Array.from({ length: 20 }, ask))).toEqual(Array(20).fill(ALLOWED))
    expect(await ask()).toEqual(ALLOWED)
  })

  it('lets in after a renewal of the keys in the background that was cut off', async () => {
    expect(await ask()).toEqual(ALLOWED)
    const hurry = site.slow('jwks', 1)
    await site.pass(160)
    expect(await ask()).toEqual(ALLOWED)
    hurry()
    await site.pass(160)
    expect(await ask()).toEqual(ALLOWED)
  })

  it('goes on letting in for more than a minute', async () => {
    for (let count = 0; count < 14; count++) {
      expect(await ask()).toEqual(ALLOWED)
      await sleep(5)
    }
  })

  it('refuses what was revoked, at most ten seconds later', async () => {
    const [token, other] = await Promise.all([site.token({ clientId: 'revoked' }), site.token()])
    expect(await site.ask(token)).toEqual(ALLOWED)
    await site.issuer.revokeAgent('revoked')
    const { status, after } = await untilNot(200, token)
    expect(status).toBe(401)
    expect(after).toBeLessThan(10)
    expect(await site.ask(other)).toEqual(ALLOWED)
  })

  it('refuses at the first request after a pause what was revoked during it, however many come at once', async () => {
    const token = await site.token({ clientId: 'revoked' })
    expect(await site.ask(token)).toEqual(ALLOWED)
    await sleep(11)
    await site.issuer.revokeAgent('revoked')
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => site.ask(token)))
    expect(outcomes.map(({ status }) => status)).toEqual(Array(20).fill(401))
    expect(await ask()).toEqual(ALLOWED)
  })

  it('decides by what it knows for a minute while the issuer does not answer', async () => {
    const token = await site.token()
    expect(await site.ask(token)).toEqual(ALLOWED)
    const mend = site.issuer.fail('revocation')
    await site.pass(30)
    for (let count = 0; count < 3; count++) expect(await ask()).toEqual(ALLOWED)
    await site.pass(31)
    expect((await ask()).status).toBe(503)
    mend()
    expect(await untilNot(503, await site.token())).toMatchObject({ status: 200 })
  })

  it.each(['stays', 'has gone away'])(
    'ends a stream whose token is revoked, while another %s',
    async (what) => {
      const other = await site.stream(await site.token())
      const stream = await site.stream(await site.token({ clientId: 'revoked' }))
      await sleep(2)
      if (what !== 'stays') other.leave()
      await sleep(1)
      expect(stream.events()).toBeGreaterThan(10)
      await site.issuer.revokeAgent('revoked')
      const stillThere = sleep(15).then(() => 'still there')
      expect(await Promise.race([stream.ended, stillThere])).toBeUndefined()
      if (what !== 'stays') return
      const events = other.events()
      await sleep(1)
      expect(other.events()).toBeGreaterThan(events)
      other.leave()
    },
  )

  it.each([
    ['a status list', '/listed', '/oauth/status'],
    ['introspection', '/asked', '/introspect'],
  ])(
    'asks %s when a request needs it, also after a client that went away meanwhile',
    async (_, path, slow) => {
      const [token, other] = [await site.token({ clientId: 'revoked' }), await site.token()]
      const hurry = site.slow(slow, 3)
      const left = site.askAndLeave(token, 0.4, path)
      await sleep(0.2)
      const meanwhile = site.ask(token, path)
      await left
      hurry()
      expect(await meanwhile).toEqual(ALLOWED)
      expect(site.questions.filter((question) => question.includes(slow))).toHaveLength(2)
      await site.issuer.revokeAgent('revoked')
      await site.pass(20)
      expect((await site.ask(token, path)).status).toBe(401)
      expect(await site.ask(other, path)).toEqual(ALLOWED)
    },
  )

  it.each(['oauth-authorization-server', 'jwks', 'revocations'])(
    'is not wedged by a client that goes away while it waits for %s',
    async (path) => {
      const hurry = site.slow(path, 3)
      const left = site.askAndLeave(await site.token(), 0.5)
      await sleep(0.2)
      const meanwhile = ask()
      await left
      hurry()
      expect(await meanwhile).toEqual(ALLOWED)
      for (let count = 0; count < 3; count++) expect(await ask()).toEqual(ALLOWED)
    },
  )
})
