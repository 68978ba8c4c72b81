import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { base64urlAliases } from '../support/aliases.ts'
import { base64url, type Exchange, signText } from '../support/exchange.ts'
import { Siege } from '../support/siege.ts'

/** The attacker writes the same token, or the same proof, in another way, so that what is remembered does not know it. */
let siege: Siege
let exchange: Exchange

beforeAll(async () => {
  siege = await Siege.start()
  exchange = siege.exchange
})
afterAll(() => siege.close())

const PARTS = [0, 1, 2] as const
function respelled(text: string, part: number): string[] {
  const parts = text.split('.')
  return base64urlAliases(parts[part] as string).map((alias) => parts.with(part, alias).join('.'))
}

const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
/** The other signature that is as true: (r, n - s). */
function twin(text: string): string {
  const parts = text.split('.')
  const bytes = Buffer.from(parts[2] as string, 'base64url')
  const s = ORDER - BigInt(`0x${bytes.subarray(32).toString('hex')}`)
  const other = Buffer.concat([bytes.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, '0'), 'hex')])
  return parts.with(2, base64url(other)).join('.')
}

describe('another spelling', () => {
  it.each(PARTS)('of part %d of a token is malformed, known or not [7515-2-base64url]', async (part) => {
    const token = exchange.token()
    for (let round = 0; round < 2; round++) {
      for (const text of respelled(token, part)) {
        // `1*SP` stands before a token: one more space is none of its characters.
        if (text.startsWith(' ')) continue
        const reason = /[ \t]/.test(text) ? 'credentials_malformed' : 'token_malformed'
        await siege.refuses(exchange.request({ token: text }), reason)
      }
      await siege.allows(exchange.request({ token }))
    }
  })

  it.each(PARTS)('of part %d of a proof is malformed, used or not [7515-2-base64url]', async (part) => {
    const token = exchange.token()
    const proof = exchange.proof(token)
    for (let round = 0; round < 2; round++) {
      for (const text of respelled(proof, part)) {
        await siege.refuses(exchange.request({ token, proof: text }), 'proof_malformed')
      }
      if (round === 0) await siege.allows(exchange.request({ token, proof }))
    }
  })

  it.each(['', '.', '.AAAA', '\n', '\t', ' ', '=', '~', '\u0000', ';'])(
    'with %j after it is malformed',
    async (tail) => {
      const token = exchange.token()
      const proof = exchange.proof(token)
      if (tail === '') return siege.allows(exchange.request({ token, proof }))
      const reason = /[ \t]/.test(tail) ? 'credentials_malformed' : 'token_malformed'
      await siege.refuses(exchange.request({ token: token + tail, proof }), reason)
      await siege.refuses(exchange.request({ token, proof: proof + tail }), 'proof_malformed')
    },
  )
})

describe('the twin of an ECDSA signature', () => {
  it('replays no proof, for a proof is known by what it says', async () => {
    const token = exchange.token()
    const proof = exchange.proof(token)
    await siege.allows(exchange.request({ token, proof }))
    await siege.refuses(exchange.request({ token, proof: twin(proof) }), 'proof_replayed')
  })

  it('makes another token text, for which the proof is not', async () => {
    const token = exchange.token()
    const proof = exchange.proof(token)
    await siege.refuses(exchange.request({ token: twin(token), proof }), 'proof_token_mismatch')
    await siege.allows(exchange.request({ token, proof }))
  })

  it('is the same token to everything that knows tokens by their claims', async () => {
    const token = exchange.token({ claims: { jti: 'known' } })
    const verdict = await siege.guard.verify(exchange.request({ token: twin(token) }))
    expect(verdict.ok && verdict.auth.claims.jti).toBe('known')
  })
})

describe('JSON that two readers read differently', () => {
  const decode = (part: string) => Buffer.from(part, 'base64url').toString()
  const escaped = (name: string) => `\\u00${name.charCodeAt(0).toString(16)}${name.slice(1)}`
  it.each<[string, (text: string, name: string) => string]>([
    ['a duplicate', (text, name) => text.replace('{', `{"${name}":"x",`)],
    ['a duplicate at its end', (text, name) => text.replace(/}$/, `,"${name}":"x"}`)],
    ['a duplicate by an escape', (text, name) => text.replace('{', `{"${escaped(name)}":"x",`)],
    ['a nested duplicate', (text) => text.replace('{', '{"y":{"x":1,"x":2},')],
    ['a byte order mark', (text) => `\ufeff${text}`],
    ['a lone surrogate', (text) => text.replace('{', '{"x":"\\ud800",')],
    ['a comment', (text) => `${text}//`],
    ['text after it', (text) => `${text}{}`],
    ['a trailing comma', (text) => text.replace(/}$/, ',}')],
    ['a NUL', (text) => `${text}\u0000`],
    ['single quotes', (text) => text.replaceAll('"', "'")],
  ])(
    '%s makes a token or a proof malformed [7519-4-duplicates] [7515-4-unique] [8725-3.7] [9449-4.3-2]',
    async (_, change) => {
      const good = exchange.token()
      const [h, p] = good.split('.').map(decode) as [string, string]
      for (const token of [
        signText(h, change(p, 'aud'), exchange.issuerKey),
        signText(change(h, 'kid'), p, exchange.issuerKey),
      ]) {
        await siege.refuses(exchange.request({ token }), 'token_malformed')
      }
      const [ph, pp] = exchange.proof(good).split('.').map(decode) as [string, string]
      for (const proof of [
        signText(ph, change(pp, 'htm'), exchange.agentKey),
        signText(change(ph, 'alg'), pp, exchange.agentKey),
      ]) {
        await siege.refuses(exchange.request({ token: good, proof }), 'proof_malformed')
      }
    },
  )
})
