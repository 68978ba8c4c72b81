import { describe, expect, it } from 'vitest'
import { parseActors } from '../src/actors.ts'
import { parseConfirmation, requireConfirmation } from '../src/confirmation.ts'
import type { Refusal } from '../src/refusal.ts'

/** A constant, since it stands in titles: Stryker finds tests again by these. */
const jkt = 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs'

function reasonOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    return (error as Refusal).reason
  }
  return 'accepted'
}

describe('parseConfirmation', () => {
  it('reads the thumbprint, whatever other methods stand beside it [9449-6.1] [9449-6-rs]', () => {
    expect(parseConfirmation({ jkt })).toBe(jkt)
    expect(parseConfirmation({ jkt, 'x5t#S256': 'bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2' })).toBe(jkt)
    expect(parseConfirmation(undefined)).toBeUndefined()
  })

  it.each([
    null,
    '',
    jkt,
    [],
    [{ jkt }],
    0,
    true,
    {},
    { jkt: null },
    { jkt: '' },
    { jkt: [jkt] },
    { jkt: { jkt } },
    { jkt: 43 },
    { jkt: jkt.slice(1) },
    { jkt: `${jkt}=` },
    { jkt: `${jkt}A` },
    { jkt: `${jkt.slice(0, 42)}B` },
    { jkt: `${jkt.slice(0, 42)}/` },
    { JKT: jkt },
    { 'x5t#S256': 'bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2' },
    { kid: 'k' },
    { jwk: {} },
    { unheard: 'of' },
  ])('refuses %j: a demand that cannot be checked is not ignored', (cnf) => {
    expect(reasonOf(() => parseConfirmation(cnf))).toBe('confirmation_unsupported')
  })
})

describe('requireConfirmation', () => {
  const dpop = { scheme: 'DPoP', token: 't', proof: 'p' } as const
  const bearer = { scheme: 'Bearer', token: 't', proof: undefined } as const
  it.each([
    [jkt, dpop, 'required', 'p'],
    [jkt, dpop, 'when-bound', 'p'],
    [undefined, bearer, 'when-bound', undefined],
    [undefined, { ...bearer, proof: 'p' }, 'when-bound', undefined],
  ] as const)('passes (%s, %j, %s) and hands back the proof %s', (bound, credentials, policy, proof) => {
    expect(requireConfirmation(bound, credentials, policy)).toBe(proof)
  })

  it.each([
    [jkt, bearer, 'required', 'scheme_mismatch'],
    [jkt, bearer, 'when-bound', 'scheme_mismatch'],
    [jkt, { ...bearer, proof: 'p' }, 'when-bound', 'scheme_mismatch'],
    [undefined, bearer, 'required', 'token_not_bound'],
    [undefined, { ...bearer, proof: 'p' }, 'required', 'token_not_bound'],
    [undefined, dpop, 'required', 'token_not_bound'],
    [undefined, dpop, 'when-bound', 'token_not_bound'],
    [jkt, { ...dpop, proof: undefined }, 'required', 'proof_missing'],
    [jkt, { ...dpop, proof: undefined }, 'when-bound', 'proof_missing'],
    [jkt, { ...dpop, proof: '' }, 'when-bound', 'proof_missing'],
  ] as const)('refuses (%s, %j, %s) as %s [9449-7.2-downgrade]', (bound, credentials, policy, reason) => {
    expect(reasonOf(() => requireConfirmation(bound, credentials, policy))).toBe(reason)
  })
})

describe('parseActors', () => {
  it('lists who acts, outermost first, with their keys', () => {
    const act = { sub: 'outer', cnf: { jkt }, act: { sub: 'middle', jkt, act: { sub: 'inner' } } }
    expect(parseActors(act).map(({ sub, jkt }) => [sub, jkt])).toEqual([
      ['outer', jkt],
      ['middle', jkt],
      ['inner', undefined],
    ])
    expect(parseActors(undefined)).toEqual([])
  })

  const nested = (depth: number): object =>
    depth === 1 ? { sub: 'a' } : { sub: 'a', act: nested(depth - 1) }
  it('follows sixteen actors and no more', () => {
    expect(parseActors(nested(16))).toHaveLength(16)
    expect(reasonOf(() => parseActors(nested(17)))).toBe('token_claims_invalid')
  })

  it.each([
    null,
    'agent',
    [],
    [{ sub: 'a' }],
    {},
    { sub: '' },
    { sub: 1 },
    { sub: ['a'] },
    { sub: 'a', act: null },
    { sub: 'a', act: { sub: null } },
    { sub: 'a', jkt: 1 },
    { sub: 'a', jkt: 'short' },
    { sub: 'a', cnf: { jkt: `${jkt}=` } },
  ])('refuses act %j', (act) => {
    expect(reasonOf(() => parseActors(act))).toBe('token_claims_invalid')
  })
})
