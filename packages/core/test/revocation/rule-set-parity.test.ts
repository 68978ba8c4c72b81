import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AccessToken } from '../../src/access-token.ts'
import { codePoints, compileGlob, matchesGlob } from '../../src/revocation/glob.ts'
import { RuleSet } from '../../src/revocation/rule-set.ts'
import { type RevocationRule, RULE_KINDS } from '../../src/revocation/rules.ts'
import { actor, NOW, tokenOf } from './tokens.ts'

/** Longest that a token lives; a rule lives longer than any token it can match. */
const LIFETIME = 60
const names = ['a1', 'a2', 'b1', 'b2']
const name = fc.constantFrom(...names)
const second = fc.integer({ min: 0, max: 20 })

/** What may happen at an issuer and on the way to a guard. */
const event = fc.oneof(
  fc.record({ does: fc.constant('tick' as const), by: fc.integer({ min: 1, max: 30 }) }),
  fc.record({ does: fc.constant('mint' as const), names: fc.array(name, { minLength: 8, maxLength: 8 }) }),
  fc.record({
    does: fc.constant('revoke' as const),
    k: fc.constantFrom(...RULE_KINDS),
    v: fc.oneof(name, fc.constantFrom('a*', '?1', '[ab]2', '[^a]*', '[a')),
    ahead: fc.option(fc.integer({ min: -3, max: 3 })),
    c: fc.option(fc.boolean(), { nil: undefined }),
  }),
  /** A delta, or everything once more in another order; a restart of the issuer looks no different. */
  fc.record({ does: fc.constant('deliver' as const), from: second, shuffle: fc.nat() }),
)

describe('The rule set and a naive model', () => {
  it('decide alike over 10,000 random sequences of rules, tokens, time, duplicates, reordering and restarts', () => {
    let decided = 0
    let revoked = 0
    fc.assert(
      fc.property(fc.array(event, { minLength: 8, maxLength: 30, size: 'max' }), (events) => {
        let now = NOW
        const rules: RevocationRule[] = []
        const tokens: AccessToken[] = []
        const delivered = new Set<RevocationRule>()
        const set = new RuleSet()
        for (const step of events) {
          if (step.does === 'tick') now += step.by
          else if (step.does === 'mint') tokens.push(mint(step.names, now))
          else if (step.does === 'revoke') {
            const b = step.ahead === null ? {} : { b: now + 1 + step.ahead }
            const c = step.c === undefined ? {} : { c: step.c }
            rules.push({ k: step.k, v: step.v, x: now + LIFETIME + 10, ...b, ...c })
          } else {
            const batch = shuffled(rules.slice(step.from % (rules.length + 1)), step.shuffle)
            for (const rule of batch) delivered.add(rule)
            set.add(batch, now)
            set.purge(now)
          }
          for (const token of tokens.filter(({ expiresAt }) => now < expiresAt)) {
            const matching = [...delivered].filter((rule) => matches(rule, token))
            // No issuer gives out a token that outlives a rule that ends it: what then is, nobody has said.
            if (matching.some(({ x }) => x < token.expiresAt)) continue
            const expected = matching.length > 0
            decided++
            if (expected) revoked++
            if (set.revokes(token) !== expected)
              expect({ token, rules: [...delivered] }).toBe(`revoked: ${expected}`)
          }
        }
      }),
      { numRuns: 10_000 },
    )
    expect(revoked).toBeGreaterThan(decided / 20)
    expect(revoked).toBeLessThan(decided * 0.9)
  })
})

function mint(given: readonly string[], now: number): AccessToken {
  const [id, grant, clientId, subject, jkt, keyId, actorSub, actorJkt] = given as [string, ...string[]]
  const chain = [actor(actorSub!, actorJkt), actor('b2', 'a2')]
  const actors = chain.slice(0, names.indexOf(actorSub!) % 3)
  const expiresAt = now + LIFETIME
  return tokenOf({
    id,
    grant,
    clientId: clientId!,
    subject: subject!,
    jkt,
    keyId,
    actors,
    issuedAt: now + 0.5,
    expiresAt,
  })
}

/** The definition, read out loud. */
function matches({ k, v, b, c }: RevocationRule, token: AccessToken): boolean {
  if (b !== undefined && !(Math.floor(token.issuedAt) < b)) return false
  const glob = (text: string) => matchesGlob(compileGlob(v), codePoints(text))
  const chain = token.actors.length === 0 ? [] : [token.subject, ...token.actors.map(({ sub }) => sub)]
  const chainHas = (is: (sub: string) => boolean) => c === true && chain.some(is)
  switch (k) {
    case 'jti':
      return token.id === v
    case 'gid':
      return token.grant === v
    case 'kid':
      return token.keyId === v
    case 'cid':
      return token.clientId === v || chainHas((sub) => sub === v)
    case 'sub':
      return token.subject === v || chainHas((sub) => sub === v)
    case 'glob':
      return glob(token.clientId) || chainHas(glob)
    case 'jkt':
      return token.jkt === v || (c === true && token.actors.some(({ jkt }) => jkt === v))
  }
}

function shuffled<T>(items: readonly T[], seed: number): T[] {
  return items
    .map((item, i) => ({ item, order: Math.imul(i + 1, seed | 1) ^ (seed >>> 3) }))
    .sort((a, b) => a.order - b.order)
    .flatMap(({ item }, i) => (i % 3 === 0 ? [item, item] : [item]))
}
