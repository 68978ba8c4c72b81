import { createGuard, revocationList } from '@sharkguard/core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Exchange, type KeyPair, sign } from '../support/exchange.ts'

/** The attacker has stolen a signing key. Its issuer has withdrawn it, and the guard still holds the key set of before. */
let exchange: Exchange
let rules: readonly object[]

beforeAll(async () => {
  exchange = await Exchange.start()
})
afterAll(() => exchange.close())

/** Answers each question after the list at once. */
const fetchWithList: typeof fetch = async (url, init) => {
  const { pathname, searchParams } = new URL(String(url))
  if (pathname !== '/list') return fetch(url, init)
  const key: KeyPair = exchange.issuerKey
  const iat = Math.floor(exchange.now())
  const since = Number(searchParams.get('since') ?? 0)
  const claims = { iss: exchange.issuer, iat, exp: iat + 60, seq: rules.length, since, rules }
  return new Response(sign({ alg: key.alg, typ: 'revocation-list+jwt', kid: key.kid }, claims, key))
}

it.each(['issuer-key', undefined])('with kid %s in its header, no token of the key passes', async (kid) => {
  rules = []
  const guard = createGuard(exchange.resource, {
    issuer: exchange.issuer,
    fetch: fetchWithList,
    revocation: revocationList({ uri: `${exchange.issuer}/list`, wait: 1 }),
  })
  const send = async () => {
    const verdict = await guard.verify(exchange.request({ token: exchange.token({ header: { kid } }) }))
    return verdict.ok || verdict.reason
  }
  expect(await send()).toBe(true)
  rules = [{ k: 'kid', v: 'issuer-key', x: Math.floor(exchange.now()) + 600 }]
  await expect.poll(send, { timeout: 5000 }).toBe('token_revoked')
  await guard.close()
})
