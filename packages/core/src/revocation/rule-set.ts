import type { AccessToken } from '../access-token.ts'
import { GlobRules } from './glob-rules.ts'
import { type RevocationRule, RULE_LIMITS } from './rules.ts'

/** Rules are kept this much longer than they ask for: the issuer's clock is not ours. */
const GRACE = 60
/** Entries looked at by one purge: about a millisecond. */
const PURGE_STEPS = 10_000

interface Cutoff {
  before: number
  expiresAt: number
}

type Cutoffs = Map<string, Cutoff>

/**
 * Revocation rules, merged: per kind and value the latest cut-off and the latest expiry. Adding never takes anything back,
 * so rules may come in any order and as often as they like. Expired rules are forgotten little by little; until then
 * they revoke what nobody has any more.
 */
export class RuleSet {
  readonly #jti: Cutoffs = new Map()
  readonly #gid: Cutoffs = new Map()
  readonly #cid: Cutoffs = new Map()
  readonly #sub: Cutoffs = new Map()
  readonly #jkt: Cutoffs = new Map()
  readonly #kid: Cutoffs = new Map()
  readonly #glob = new GlobRules()
  /** The rules with `c`, once more: what they say of everyone in a delegation chain, and of actors' keys. */
  readonly #chainSub: Cutoffs = new Map()
  readonly #chainJkt: Cutoffs = new Map()
  readonly #chainGlob = new GlobRules()
  readonly #tables = [
    this.#jti,
    this.#gid,
    this.#cid,
    this.#sub,
    this.#jkt,
    this.#kid,
    this.#chainSub,
    this.#chainJkt,
  ]
  #size = 0
  #now = 0
  readonly #sweep = this.#sweeping()

  /** Entries held; a rule with `c` may count twice. */
  get size(): number {
    return this.#size + this.#glob.size + this.#chainGlob.size
  }

  /**
   * Adds rules, except those that have expired.
   * @param now seconds
   * @returns whether more is revoked now
   * @throws RangeError when there would be more than {@link RULE_LIMITS} allow; what was added before stays
   */
  add(rules: readonly RevocationRule[], now: number): boolean {
    let changed = false
    for (const rule of rules) {
      if (rule.x + GRACE > now && this.#addRule(rule, now)) changed = true
    }
    return changed
  }

  /**
   * Whether a rule matches the token: its own identifiers, or for rules with `c` those of anyone in its delegation chain.
   * Costs the same however many rules there are.
   */
  revokes(token: AccessToken): boolean {
    if (this.size === 0) return false
    const issuedAt = Math.floor(token.issuedAt)
    return (
      isBefore(issuedAt, this.#jti, token.id) ||
      isBefore(issuedAt, this.#gid, token.grant) ||
      isBefore(issuedAt, this.#cid, token.clientId) ||
      isBefore(issuedAt, this.#sub, token.subject) ||
      isBefore(issuedAt, this.#jkt, token.jkt) ||
      isBefore(issuedAt, this.#kid, token.keyId) ||
      (this.#glob.size > 0 && issuedAt < this.#glob.cutoff(token.clientId)) ||
      (token.actors.length > 0 && this.#revokesChain(token, issuedAt))
    )
  }

  /** Forgets some of the rules that expired; called now and then, it gets round to all of them. */
  purge(now: number, steps = PURGE_STEPS): void {
    this.#now = now
    this.#glob.purge(now - GRACE)
    this.#chainGlob.purge(now - GRACE)
    for (let step = Math.min(steps, 2 * this.#size); step > 0; step--) this.#sweep.next()
  }

  /** From the subject, for whom the first of them acts, to whoever acts last. */
  #revokesChain({ subject, actors }: AccessToken, issuedAt: number): boolean {
    if (this.#revokesParty(subject, undefined, issuedAt)) return true
    for (const { sub, jkt } of actors) if (this.#revokesParty(sub, jkt, issuedAt)) return true
    return false
  }

  #revokesParty(sub: string, jkt: string | undefined, issuedAt: number): boolean {
    return (
      isBefore(issuedAt, this.#chainSub, sub) ||
      isBefore(issuedAt, this.#chainJkt, jkt) ||
      (this.#chainGlob.size > 0 && issuedAt < this.#chainGlob.cutoff(sub))
    )
  }

  #addRule({ k, v, b = Number.POSITIVE_INFINITY, x, c = false }: RevocationRule, now: number): boolean {
    switch (k) {
      case 'glob':
        return anyOf(this.#addGlob(this.#glob, v, b, x), c && this.#addGlob(this.#chainGlob, v, b, x))
      case 'cid':
        return anyOf(this.#raise(this.#cid, v, b, x, now), c && this.#raise(this.#chainSub, v, b, x, now))
      case 'sub':
        return anyOf(this.#raise(this.#sub, v, b, x, now), c && this.#raise(this.#chainSub, v, b, x, now))
      case 'jkt':
        return anyOf(this.#raise(this.#jkt, v, b, x, now), c && this.#raise(this.#chainJkt, v, b, x, now))
      case 'jti':
        return this.#raise(this.#jti, v, b, x, now)
      case 'gid':
        return this.#raise(this.#gid, v, b, x, now)
      case 'kid':
        return this.#raise(this.#kid, v, b, x, now)
    }
  }

  #addGlob(globs: GlobRules, pattern: string, before: number, expiresAt: number): boolean {
    if (globs.size >= RULE_LIMITS.globs && !globs.has(pattern)) throw new RangeError('too many patterns')
    return globs.add(pattern, before, expiresAt)
  }

  #raise(table: Cutoffs, value: string, before: number, expiresAt: number, now: number): boolean {
    const known = table.get(value)
    if (known === undefined) {
      this.#makeRoom(now)
      table.set(value, { before, expiresAt })
      this.#size++
      return true
    }
    if (expiresAt > known.expiresAt) known.expiresAt = expiresAt
    if (before <= known.before) return false
    known.before = before
    return true
  }

  #makeRoom(now: number): void {
    if (this.#size < RULE_LIMITS.rules) return
    this.purge(now, Number.POSITIVE_INFINITY)
    if (this.#size >= RULE_LIMITS.rules) throw new RangeError('too many rules')
  }

  /** Goes round all tables for ever, one entry a step. Maps may change between two steps. */
  *#sweeping(): Generator<undefined, never> {
    for (;;) {
      for (const table of this.#tables) {
        for (const [value, { expiresAt }] of table) {
          if (expiresAt + GRACE <= this.#now) {
            table.delete(value)
            this.#size--
          }
          yield
        }
      }
      yield
    }
  }
}

function isBefore(issuedAt: number, cutoffs: Cutoffs, value: string | undefined): boolean {
  if (value === undefined || cutoffs.size === 0) return false
  const cutoff = cutoffs.get(value)
  return cutoff !== undefined && issuedAt < cutoff.before
}

/** Both sides are wanted for what they do. */
function anyOf(a: boolean, b: boolean): boolean {
  return a || b
}
