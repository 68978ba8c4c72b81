import { beforeEach, describe, expect, it } from 'vitest'
import { generateKeyPair, signature } from '../../../test/support/exchange.ts'
import { importKey, verifySignature } from '../src/runtime/node.ts'

const INPUT = 'eyJhbGciOiJ4In0.eyJhIjoxfQ'

/** Begins verifications; what runs on the event loop has its answer at once, what runs elsewhere promises one. */
async function verifier(alg = 'ES256') {
  const pair = generateKeyPair(alg)
  const key = await importKey(pair.publicJwk, alg)
  const bytes = Buffer.from(signature(INPUT, pair), 'base64url')
  return () => verifySignature(alg, key, INPUT, bytes)
}

type Answer = ReturnType<Awaited<ReturnType<typeof verifier>>>

const isHere = (answer: Answer) => typeof answer === 'boolean'
const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** As a server meets what came together: each in a callback of its own, all in one turn of the loop. */
function inOneTurn(count: number, begin: () => Answer): Promise<Answer[]> {
  const callbacks = Array.from(
    { length: count },
    () =>
      new Promise<{ answer: Answer }>((resolve) =>
        setImmediate(() => void Promise.resolve().then(() => resolve({ answer: begin() }))),
      ),
  )
  return Promise.all(callbacks).then((all) => all.map(({ answer }) => answer))
}

async function allTrue(answers: readonly Answer[]) {
  expect(new Set(await Promise.all(answers))).toEqual(new Set([true]))
}

describe('on Node, verifications', () => {
  beforeEach(nextTurn)

  it('of requests that come one by one run on the event loop', async () => {
    const verify = await verifier()
    for (let request = 0; request < 20; request++) {
      await nextTurn()
      expect(verify()).toBe(true)
    }
  })

  it('of a request with a token that is new, two of them, run on the event loop', async () => {
    const verify = await verifier()
    for (let request = 0; request < 20; request++) {
      await nextTurn()
      expect(await verify()).toBe(true)
      const second = verify()
      expect(second).toBe(true)
    }
  })

  it('of many requests in one turn go to the thread pool, all but two, and are answered alike', async () => {
    const verify = await verifier()
    const answers = await inOneTurn(64, verify)
    expect(answers.map(isHere)).toEqual(answers.map((_, i) => i < 2))
    await allTrue(answers)
  })

  it('begun side by side in one callback go to the thread pool, all but two', async () => {
    const verify = await verifier()
    await nextTurn()
    const answers = await Promise.all(Array.from({ length: 64 }, async () => ({ answer: verify() })))
    expect(answers.map(({ answer }) => isHere(answer))).toEqual(answers.map((_, i) => i < 2))
    await allTrue(answers.map(({ answer }) => answer))
  })

  it('that follow one another run on the event loop, however many there are in one turn', async () => {
    const verify = await verifier()
    await nextTurn()
    for (let request = 0; request < 50; request++) {
      const answer = verify()
      expect(answer).toBe(true)
      await answer
    }
  })

  it('that follow one another, many chains at once, do not keep the loop from turning', async () => {
    const verify = await verifier()
    let turns = 0
    let ended = false
    const beat = () => {
      turns++
      if (!ended) setImmediate(beat)
    }
    setImmediate(beat)
    await nextTurn()
    const chain = async () => {
      for (let request = 0; request < 10; request++) expect(await verify()).toBe(true)
    }
    await Promise.all(Array.from({ length: 16 }, chain))
    ended = true
    expect(turns).toBeGreaterThan(5)
  })

  it('run on the event loop again when the crowd has gone', async () => {
    const verify = await verifier()
    await allTrue(await inOneTurn(64, verify))
    await nextTurn()
    expect(verify()).toBe(true)
  })

  it.each(['ES384', 'ES512'])('by %s, dear ones, never run on the event loop', async (alg) => {
    const verify = await verifier(alg)
    const answer = verify()
    expect(isHere(answer)).toBe(false)
    expect(await answer).toBe(true)
  })
})
