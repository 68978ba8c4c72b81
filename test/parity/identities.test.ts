import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Exchange } from '../support/exchange.ts'
import { HOSTS, type Host } from '../support/hosts.ts'

const IDENTITIES = 200
const REQUESTS_EACH = 3

let exchange: Exchange
beforeAll(async () => {
  exchange = await Exchange.start()
})
afterAll(() => exchange.close())

describe.each(Object.entries(HOSTS))('%s', (_name, start) => {
  let host: Host
  beforeAll(async () => {
    host = await start(exchange.resource, { issuer: exchange.issuer })
  })
  afterAll(() => host.close())

  /** In the second round the proof is bad: what is refused must leave nothing behind. */
  async function whoAmI(client: string, token: string, round: number): Promise<[number, unknown]> {
    const proof = exchange.proof(token, round === 1 ? { claims: { ath: 'x'.repeat(43) } } : {})
    const headers = exchange.headers({ token, proof })
    const answer = await fetch(`http://127.0.0.1:${host.port}/mcp`, { method: 'POST', headers })
    const body = (await answer.json()) as { client?: string }
    if (answer.status !== 200) return [answer.status, body.client]
    return [200, body.client === client]
  }

  it(`never shows one of ${IDENTITIES} interleaved identities another's auth`, async () => {
    const tokens = Array.from({ length: IDENTITIES }, (_, i) =>
      exchange.token({ claims: { sub: `agent-${i}`, client_id: `agent-${i}` } }),
    )
    const calls = Array.from({ length: REQUESTS_EACH }, (_, round) =>
      tokens.map((token, i) => whoAmI(`agent-${i}`, token, round)),
    )
    const [first, refused, last] = await Promise.all(calls.map((round) => Promise.all(round)))
    expect(first).toEqual(Array(IDENTITIES).fill([200, true]))
    expect(last).toEqual(first)
    expect(refused).toEqual(Array(IDENTITIES).fill([401, undefined]))
    expect(host.runs()).toBe(2 * IDENTITIES)
  })
})
