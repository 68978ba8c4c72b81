import { type Decision, REFUSALS, UNAVAILABLE } from '@sharkguard/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Exchange } from '../support/exchange.ts'
import { HOSTS, type RawAnswer, type StartHost, sendRaw } from '../support/hosts.ts'
import { SCENARIOS } from './scenarios.ts'

/**
 * One table of requests, sent as the same bytes to every host with a fresh guard: each must answer as the guard alone does,
 * in status, in every header the guard sets, and in its body. Adapters translate; here is the proof that they decide
 * nothing.
 */
const GUARD_HEADERS = [
  'www-authenticate',
  'dpop-nonce',
  'cache-control',
  'access-control-expose-headers',
  'access-control-allow-origin',
  'access-control-allow-methods',
  'access-control-allow-headers',
  'access-control-max-age',
  'allow',
  'retry-after',
]

const { core, ...ADAPTERS } = HOSTS as Record<string, StartHost> & { core: StartHost }
const isMetadata = ([line = '']: readonly string[]) => line.includes(' /.well-known/')

describe.each(SCENARIOS)(
  '$title',
  ({ status, reason, options, lines, times = 1, prepare, exceptFetchHosts }) => {
    let exchange: Exchange
    let bytes: readonly string[]
    let reference: RawAnswer
    beforeAll(async () => {
      exchange = await Exchange.start()
      prepare?.(exchange)
      bytes = lines(exchange)
    })
    afterAll(() => exchange.close())

    async function answerOf(start: StartHost) {
      const decisions: Decision[] = []
      const onDecision = (decision: Decision) => void decisions.push(decision)
      const host = await start(exchange.resource, { issuer: exchange.issuer, onDecision, ...options })
      try {
        for (let i = 1; i < times; i++) await sendRaw(host.port, bytes)
        const answer = await sendRaw(host.port, bytes)
        return { answer, runs: host.runs(), last: decisions.at(-1) }
      } finally {
        await host.close()
      }
    }

    it(`is answered ${status} by the guard itself`, async () => {
      const { answer, runs, last } = await answerOf(core)
      expect(answer.status).toBe(status)
      expect(last && 'reason' in last ? last.reason : undefined).toBe(reason)
      const let_in = status === 200 && !isMetadata(bytes) ? times : times - 1
      expect(runs).toBe(let_in)
      reference = answer
    })

    const hosts = Object.keys(ADAPTERS).filter((name) => !exceptFetchHosts || /express|fastify/.test(name))
    it.each(hosts)('is answered the same by %s', async (name) => {
      const { answer, runs } = await answerOf(ADAPTERS[name] as StartHost)
      expect(answer.status).toBe(reference.status)
      for (const header of GUARD_HEADERS) {
        expect([header, answer.headers[header]]).toEqual([header, reference.headers[header]])
      }
      // What a handler answers is its own, and so is how it calls it.
      if (status !== 200) expect(answer.headers['content-type']).toBe(reference.headers['content-type'])
      expect(answer.body).toBe(reference.body)
      expect(runs).toBe(status === 200 && !isMetadata(bytes) ? times : times - 1)
    })
  },
)

it('every reason for which a request can be refused is in the table', () => {
  const reasons = new Set(SCENARIOS.map(({ reason }) => reason))
  const missing = [...Object.keys(REFUSALS), ...Object.keys(UNAVAILABLE)].filter(
    (r) => !reasons.has(r as never),
  )
  // What nobody foresaw cannot be in a table.
  expect(missing).toEqual(['unexpected'])
})
