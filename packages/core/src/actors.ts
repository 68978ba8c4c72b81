import { isCanonicalBase64url } from './base64url.ts'
import { isJsonObject } from './json.ts'
import { Refusal } from './refusal.ts'

/** A party that acts for the subject, RFC 8693 §4.1. Only the outermost decides anything; the rest is history. */
export interface Actor {
  readonly sub: string
  /** Thumbprint of the actor's key, from `act.cnf.jkt` or SharkAuth's `act.jkt`. */
  readonly jkt?: string
  readonly claims: Readonly<Record<string, unknown>>
}

const MAX_DEPTH = 16
const NOBODY: readonly Actor[] = Object.freeze([])

/** `act` → the chain of actors, outermost first. */
export function parseActors(act: unknown): readonly Actor[] {
  if (act === undefined) return NOBODY
  const chain: Actor[] = []
  let actor: unknown = act
  while (actor !== undefined) {
    if (!isJsonObject(actor) || chain.length === MAX_DEPTH) throw new Refusal('token_claims_invalid', 'act')
    if (typeof actor.sub !== 'string' || actor.sub === '')
      throw new Refusal('token_claims_invalid', 'act.sub')
    const jkt = isJsonObject(actor.cnf) ? actor.cnf.jkt : actor.jkt
    if (jkt !== undefined && (typeof jkt !== 'string' || jkt.length !== 43 || !isCanonicalBase64url(jkt))) {
      throw new Refusal('token_claims_invalid', 'act.cnf')
    }
    chain.push(Object.freeze({ sub: actor.sub, ...(jkt === undefined ? {} : { jkt }), claims: actor }))
    actor = actor.act
  }
  return Object.freeze(chain)
}
