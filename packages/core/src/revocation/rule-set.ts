import { LRUCache } from 'lru-cache'
import type { AccessToken } from '../access-token.ts'
import { Unavailable } from '../refusal.ts'
import { compileGlob, type Glob, matchesGlob } from './glob.ts'
import { MAX_GLOBS, type RevocationRule, type RuleKind } from './rules.ts'

const MAX_RULES = 2_000_000
/** Client ids whose patterns have been tried. */
const MAX_REMEMBERED = 10_000

/** When a selector's tokens end: all issued before `before`, those that only act for others too if `chain`. */
interface Cutoff {
  before: number
  /** The same for delegation chains; 0 where there is no such rule. */
  chainBefore: number
  expires: number
}

interface Pattern extends Cutoff {
  readonly glob: Glob
}

/**
 * The rules of one issuer, ready to decide: a few map look-ups a token, however many rules there are. Adding a rule twice,
 * or in another order, changes nothing; nothing is ever taken back but by expiring.
 */
export class RuleSet {
  readonly #byKind: Record<Exclude<RuleKind, 'glob'>, Map<string, Cutoff>> = {
    jti: new Map(),
    gid: new Map(),
    cid: new Map(),
    sub: new Map(),
    jkt: new Map(),
    kid: new Map(),
  }
  readonly #patterns = new Map<string, Pattern>()
  /** Cut-offs by client id; what the patterns say of a client does not change until the patterns do. */
  readonly #ofClient = new LRUCache<string, { before: number; chainBefore: number }>({ max: MAX_REMEMBERED })
  #size = 0
  #earliestExpiry = Number.POSITIVE_INFINITY

  get size(): number {
    return this.#size
  }

  /** @throws Unavailable when there are more rules than can be kept: then it is not known what they revoke */
  add(rules: readonly RevocationRule[]): void {
    for (const rule of rules) this.#addOne(rule)
    if (rules.some(({ k }) => k === 'glob')) this.#ofClient.clear()
  }

  /** Drops rules that can match no token any more. */
  expire(now: number): void {
    if (now < this.#earliestExpiry) return
    this.#earliestExpiry = Number.POSITIVE_INFINITY
    for (const cutoffs of [...Object.values(this.#byKind), this.#patterns]) {
      for (const [value, { expires }] of cutoffs) {
        if (expires <= now) {
          cutoffs.delete(value)
          this.#size--
        } else if (expires < this.#earliestExpiry) this.#earliestExpiry = expires
      }
    }
    this.#ofClient.clear()
  }

  /** Whether any rule matches the token. */
  revokes(token: AccessToken): boolean {
    if (this.#size === 0) return false
    const iat = Math.floor(token.issuedAt)
    const { jti, gid, cid, sub, jkt, kid } = this.#byKind
    return (
      isBefore(iat, jti, token.id) ||
      isBefore(iat, gid, token.grant) ||
      isBefore(iat, cid, token.clientId) ||
      isBefore(iat, sub, token.subject) ||
      isBefore(iat, jkt, token.jkt) ||
      isBefore(iat, kid, token.keyId) ||
      (this.#patterns.size > 0 && iat < this.#patternsOf(token.clientId).before) ||
      (token.actors.length > 0 && this.#revokesChain(token, iat))
    )
  }

  #revokesChain(token: AccessToken, iat: number): boolean {
    const { cid, sub, jkt } = this.#byKind
    return token.actors.some(
      (actor) =>
        iat < (cid.get(actor.sub)?.chainBefore ?? 0) ||
        iat < (sub.get(actor.sub)?.chainBefore ?? 0) ||
        (actor.jkt !== undefined && iat < (jkt.get(actor.jkt)?.chainBefore ?? 0)) ||
        (this.#patterns.size > 0 && iat < this.#patternsOf(actor.sub).chainBefore),
    )
  }

  #patternsOf(clientId: string): { before: number; chainBefore: number } {
    const known = this.#ofClient.get(clientId)
    if (known !== undefined) return known
    const result = { before: 0, chainBefore: 0 }
    for (const { glob, before, chainBefore } of this.#patterns.values()) {
      if ((before <= result.before && chainBefore <= result.chainBefore) || !matchesGlob(glob, clientId))
        continue
      result.before = Math.max(result.before, before)
      result.chainBefore = Math.max(result.chainBefore, chainBefore)
    }
    this.#ofClient.set(clientId, result)
    return result
  }

  #addOne({ k, v, b, x, c }: RevocationRule): void {
    const cutoffs: Map<string, Cutoff> = k === 'glob' ? this.#patterns : this.#byKind[k]
    const before = b ?? Number.POSITIVE_INFINITY
    const chainBefore = c === true ? before : 0
    if (x < this.#earliestExpiry) this.#earliestExpiry = x
    const known = cutoffs.get(v)
    if (known !== undefined) {
      known.before = Math.max(known.before, before)
      known.chainBefore = Math.max(known.chainBefore, chainBefore)
      known.expires = Math.max(known.expires, x)
      return
    }
    if (this.#size >= MAX_RULES || (k === 'glob' && this.#patterns.size >= MAX_GLOBS)) {
      throw new Unavailable('revocation_unavailable', { detail: 'more rules than can be kept' })
    }
    const cutoff = { before, chainBefore, expires: x }
    this.#size++
    if (k !== 'glob') {
      cutoffs.set(v, cutoff)
      return
    }
    // A pattern that matches nothing is kept too, so that it counts once.
    this.#patterns.set(v, { ...cutoff, glob: compileGlob(v) ?? NOTHING })
  }
}

const NOTHING: Glob = [{ kind: 'class', negated: false, ranges: [] }]

function isBefore(iat: number, cutoffs: Map<string, Cutoff>, value: string | undefined): boolean {
  if (value === undefined || cutoffs.size === 0) return false
  const cutoff = cutoffs.get(value)
  return cutoff !== undefined && iat < cutoff.before
}
