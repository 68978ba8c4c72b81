import type { AccessGrant } from './access-grant.ts'
import { createCall } from './call.ts'
import { findRefusal } from './challenge.ts'
import { type Caller, dpopFetch } from './dpop-fetch.ts'
import type { DPoPProver } from './dpop-prover.ts'
import type { Fetch } from './fetch.ts'
import { parseScopes } from './scope.ts'

/** A step-up may lead to one more, for a resource that asks piece by piece; then its 403 stands. */
const MAX_STEP_UPS = 2

/** fetch for one origin, with the grant's token; other origins get the plain fetch. */
export function createAgentFetch(
  origin: string,
  prover: DPoPProver,
  grant: AccessGrant,
  wire: Pick<Caller, 'fetch' | 'nonces' | 'clock'>,
): Fetch {
  return async (input, init) => {
    const url = input instanceof Request ? input.url : String(input)
    if (!URL.canParse(url) || new URL(url).origin !== origin) return wire.fetch(input, init)
    const call = await createCall(input, init)
    return dpopFetch(call, {
      ...wire,
      prover,
      token: () => grant.current(),
      replace: createReplacement(grant),
    })
  }
}

/** Answers one `invalid_token` and a few `insufficient_scope` (RFC 6750 §3.1) of one call. */
function createReplacement(grant: AccessGrant): NonNullable<Caller['replace']> {
  let renewed = false
  let stepUps = 0
  return async (rejected, { status, headers }) => {
    const refusal = findRefusal(headers)?.params
    const error = refusal?.get('error')
    if (status === 401 && error === 'invalid_token' && !renewed) {
      renewed = true
      return grant.renew(rejected)
    }
    if (status === 403 && error === 'insufficient_scope' && stepUps < MAX_STEP_UPS) {
      stepUps++
      return grant.widen(rejected, parseScopes(refusal?.get('scope')))
    }
    return undefined
  }
}
