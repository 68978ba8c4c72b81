import { afterAll, beforeAll, describe, it } from 'vitest'
import { type Exchange, generateKeyPair, signText } from '../support/exchange.ts'
import { Siege } from '../support/siege.ts'

/** A confirmation of an unusual shape is one that a hasty reader takes for none. */
let siege: Siege
let lenient: Siege
let exchange: Exchange
const { jkt } = generateKeyPair()

beforeAll(async () => {
  siege = await Siege.start()
  exchange = siege.exchange
  lenient = siege.beside({ dpop: 'when-bound' })
})
afterAll(() => siege.close())

const SHAPES = [
  null,
  '',
  jkt,
  [],
  [{ jkt }],
  0,
  false,
  true,
  {},
  { jkt: null },
  { jkt: '' },
  { jkt: [] },
  { jkt: [jkt] },
  { jkt: { value: jkt } },
  { jkt: 0 },
  { jkt: `${jkt}=` },
  { jkt: jkt.slice(1) },
  { jkt: `${jkt} ` },
  { jkt: `${jkt.slice(0, -1)}B` },
  { Jkt: jkt },
  { 'x5t#S256': jkt },
  { kid: 'k' },
  { jwk: generateKeyPair().publicJwk },
  { jwe: 'x' },
  { jku: 'https://evil.example' },
  { osc: {} },
]

describe('cnf', () => {
  it.each(SHAPES)(
    '%j is refused as DPoP and as Bearer, whatever is configured [7800-3.1] [7800-3.1-object]',
    async (cnf) => {
      const token = exchange.token({ claims: { cnf } })
      await siege.refuses(exchange.request({ token }), 'confirmation_unsupported')
      await lenient.refuses(exchange.request({ token }), 'confirmation_unsupported')
      const bearer = exchange.request({ token, scheme: 'Bearer' })
      await siege.refuses(bearer, 'confirmation_unsupported')
      await lenient.refuses(bearer, 'confirmation_unsupported', { scheme: 'Bearer' })
    },
  )

  it('with jkt may have more that we do not know', async () => {
    const cnf = { jkt: exchange.agentKey.jkt, 'x5t#S256': jkt, unheard: { of: true } }
    await siege.allows(siege.withToken({ claims: { cnf } }))
  })

  it('twice is malformed, so that no two readers take it differently [7519-4-duplicates]', async () => {
    const [h, p] = exchange.token().split('.') as [string, string]
    const text = Buffer.from(p, 'base64url').toString().replace('{', `{"cnf":{"jkt":"${jkt}"},`)
    const token = signText(Buffer.from(h, 'base64url').toString(), text, exchange.issuerKey)
    await siege.refuses(exchange.request({ token }), 'token_malformed')
  })

  it('in the prototype or in the header binds nothing and frees nothing', async () => {
    const header = { cnf: { jkt } }
    await siege.allows(siege.withToken({ header }))
    const token = exchange.token({ header, claims: { cnf: undefined } })
    await siege.refuses(exchange.request({ token }), 'token_not_bound')
  })
})

describe('act', () => {
  const nested = (depth: number): object =>
    depth === 1 ? { sub: 'a' } : { sub: 'a', act: nested(depth - 1) }
  it.each([
    null,
    'agent',
    [],
    {},
    { sub: '' },
    { sub: 5 },
    { sub: 'a', act: {} },
    { sub: 'a', jkt: 5 },
    nested(17),
  ])('%j is refused [8693-4.1]', async (act) => {
    await siege.refuses(siege.withToken({ claims: { act } }), 'token_claims_invalid')
  })

  it('of inner actors, and may_act, give nobody anything', async () => {
    const act = { sub: 'outer', act: { sub: 'admin', scope: 'admin' } }
    const admin = siege.beside({ scopes: ['admin'] })
    const request = siege.withToken({ claims: { act, may_act: { sub: 'agent-1' } } })
    await siege.allows(request)
    const verdict = await admin.guard.verify(siege.withToken({ claims: { act } }))
    if (verdict.ok) throw new Error('an inner actor’s scope was taken')
  })
})
