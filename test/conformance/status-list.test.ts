import { createGuard, statusList } from '@sharkguard/core'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Exchange } from '../support/exchange.ts'

let exchange: Exchange
const accepted: (string | null)[] = []
beforeEach(async () => {
  exchange = await Exchange.start()
  accepted.length = 0
})
afterEach(() => exchange.close())

const PATH = '/lists/1'

it('a status list is asked for as one, and only for a token that is good otherwise [TSL-8.3-first] [TSL-8.1-accept]', async () => {
  const guard = createGuard(exchange.resource, {
    issuer: exchange.issuer,
    revocation: statusList(),
    fetch: (url, init) => {
      if (String(url).endsWith(PATH)) accepted.push(new Headers(init?.headers).get('accept'))
      return fetch(url, init)
    },
  })
  const status = { status_list: { idx: 0, uri: exchange.issuer + PATH } }
  const ask = async (claims: Record<string, unknown>) => {
    const verdict = await guard.verify(
      exchange.request({ token: exchange.token({ claims: { status, ...claims } }) }),
    )
    return verdict.ok ? 'allowed' : verdict.reason
  }
  expect(await ask({ exp: 1 })).toBe('token_expired')
  expect(await ask({ aud: 'https://other.example' })).toBe('audience_mismatch')
  expect(await ask({ cnf: { jkt: 'A'.repeat(43) } })).toBe('proof_key_mismatch')
  expect(accepted).toEqual([])
  // The list is not there: nobody knows, but it was asked for.
  expect(await ask({})).toBe('revocation_unavailable')
  expect(accepted).toEqual(['application/statuslist+jwt'])
  await guard.close()
})
