import { createGuard, type GuardRequest } from '@sharkguard/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { base64urlAliases } from '../support/aliases.ts'
import { Exchange, generateKeyPair } from '../support/exchange.ts'
import { Siege } from '../support/siege.ts'

/** The attacker sends what the agent sent, again. */
let siege: Siege
let exchange: Exchange

beforeAll(async () => {
  siege = await Siege.start()
  exchange = siege.exchange
})
afterAll(() => siege.close())

describe('a proof that was used', () => {
  it('is refused the second time [9449-11.1-replay] [SEP-D6]', async () => {
    const request = exchange.request()
    await siege.allows(request)
    await siege.refuses(request, 'proof_replayed')
  })

  it('is refused nineteen times of twenty that come at once', async () => {
    const request = exchange.request()
    const verdicts = await Promise.all(Array.from({ length: 20 }, () => siege.guard.verify(request)))
    expect(verdicts.filter(({ ok }) => ok)).toHaveLength(1)
  })

  it('is refused under the same jti with another time, spelled otherwise, or signed anew', async () => {
    const token = exchange.token()
    const jti = 'once'
    const send = (claims: object, url?: string) =>
      exchange.request({
        token,
        proof: exchange.proof(token, { claims: { jti, ...claims }, ...(url && { url }) }),
      })
    await siege.allows(send({}))
    await siege.refuses(send({ iat: Math.floor(exchange.now()) + 5 }), 'proof_replayed')
    await siege.refuses(send({ iat: Math.floor(exchange.now()) - 5 }), 'proof_replayed')
    await siege.refuses(send({ extra: 1 }), 'proof_replayed')
    await siege.refuses(send({}, `${exchange.resource}?other=query`), 'proof_replayed')
    await siege.refuses(send({}, exchange.resource.replace('https:', 'HTTPS:')), 'proof_replayed')
  })

  it('is refused with a new token of the same key, and at another path', async () => {
    const first = exchange.token()
    const jti = 'once-per-key'
    const send = (token: string, path: string) => {
      const url = new URL(path, exchange.resource).href
      return exchange.request({ token, url: path, proof: exchange.proof(token, { claims: { jti }, url }) })
    }
    await siege.allows(send(first, '/mcp'))
    await siege.refuses(send(exchange.token(), '/mcp'), 'proof_replayed')
    await siege.refuses(send(first, '/other'), 'proof_replayed')
  })

  it('is no aid in any other spelling of its text: those are malformed', async () => {
    const request = exchange.request()
    await siege.allows(request)
    const [authorization, dpop] = request.headers as [[string, string], [string, string]]
    const signature = dpop[1].slice(dpop[1].lastIndexOf('.') + 1)
    for (const alias of base64urlAliases(signature)) {
      const headers: GuardRequest['headers'] = [authorization, ['dpop', dpop[1].replace(signature, alias)]]
      await siege.refuses({ ...request, headers }, 'proof_malformed')
    }
  })
})

describe('the jti of one key', () => {
  it('is free for another: nobody can use up what an honest agent is about to send', async () => {
    const other = await Siege.start({}, exchange)
    const attacker = generateKeyPair()
    const request = (key = exchange.agentKey) => {
      const token = exchange.token({ claims: { cnf: { jkt: key.jkt } } })
      return exchange.request({ token, proof: exchange.proof(token, { key, claims: { jti: 'guessed' } }) })
    }
    await other.allows(request(attacker))
    await other.allows(request())
    await other.refuses(request(), 'proof_replayed')
  })

  it('is not used up by requests that are refused for anything else', async () => {
    const token = exchange.token()
    const claims = { jti: 'not-burnt' }
    const proof = exchange.proof(token, { claims })
    await siege.refuses(exchange.request({ token, proof, method: 'GET' }), 'proof_method_mismatch')
    await siege.refuses(exchange.request({ token, proof, url: '/other' }), 'proof_target_mismatch')
    await siege.refuses(exchange.request({ token, proof, scheme: 'Bearer' }), 'scheme_mismatch')
    await siege.refuses(exchange.request({ token: exchange.token(), proof }), 'proof_token_mismatch')
    const forged = exchange.proof(token, { claims, key: generateKeyPair() })
    await siege.refuses(exchange.request({ token, proof: forged }), 'proof_key_mismatch')
    await siege.allows(exchange.request({ token, proof }))
  })
})

describe('second by second', () => {
  const T = 1_900_000_000
  it.each([
    [60, 10],
    [1, 0],
    [5, 300],
    [300, 300],
    [7.5, 2.5],
  ])(
    'with proofMaxAge %d and clockTolerance %d no proof is ever accepted twice',
    async (proofMaxAge, clockTolerance) => {
      const timeless = await Exchange.start()
      for (const dated of [-proofMaxAge, -proofMaxAge / 2, 0, 0.5, clockTolerance]) {
        let now = T
        const guard = createGuard(timeless.resource, {
          issuer: timeless.issuer,
          revocation: 'off',
          proofMaxAge,
          clockTolerance,
          clock: () => now,
        })
        timeless.now = () => T
        const token = timeless.token({ claims: { exp: T + 10_000 } })
        const request = timeless.request({
          token,
          proof: timeless.proof(token, { claims: { iat: T + dated } }),
        })
        let accepted = 0
        for (let i = 0; i < 700; i++, now += i % 7 === 0 ? 0.25 : 1) {
          if ((await guard.verify(request)).ok) accepted++
        }
        expect(accepted, `iat ${dated}`).toBe(1)
        await guard.close()
      }
      await timeless.close()
    },
  )

  it('nor when the clock is set back after it was used', async () => {
    const timeless = await Exchange.start()
    let now = T
    timeless.now = () => T
    const guard = createGuard(timeless.resource, {
      issuer: timeless.issuer,
      revocation: 'off',
      clock: () => now,
    })
    const token = timeless.token({ claims: { exp: T + 10_000, iat: T - 100 } })
    const request = timeless.request({ token, proof: timeless.proof(token) })
    expect((await guard.verify(request)).ok).toBe(true)
    for (const later of [75, 200, 4000]) {
      now = T + later
      await guard.verify(timeless.request())
      now = T
      expect((await guard.verify(request)).ok).toBe(false)
    }
    await guard.close()
    await timeless.close()
  })
})
