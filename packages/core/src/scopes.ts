import type { JsonObject } from './json.ts'
import { Refusal } from './refusal.ts'

const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/

/**
 * `scope` (RFC 8693 §4.2: one space-delimited string), or `scp` where an issuer has only that (a string or an array).
 * Any other shape is a claim we do not understand.
 */
export function parseScopes(claims: JsonObject): readonly string[] {
  const value = claims.scope === undefined ? claims.scp : claims.scope
  if (value === undefined) return []
  const list = typeof value === 'string' ? value.split(' ').filter((scope) => scope !== '') : value
  if (!Array.isArray(list) || (Array.isArray(value) && claims.scope !== undefined) || !list.every(isScope)) {
    throw new Refusal('token_claims_invalid', 'scope')
  }
  return [...new Set(list)]
}

/** One `scope-token` of RFC 6749 §3.3. */
export function isScope(value: unknown): value is string {
  return typeof value === 'string' && SCOPE_TOKEN.test(value)
}

/** Whether a granted scope covers a needed one: a hierarchy of scopes, where a resource has one. */
export type ImpliesScope = (granted: string, needed: string) => boolean

/** Exact names: `read` is not `read:all`. */
export const isSameScope: ImpliesScope = (granted, needed) => granted === needed

/** 403 unless every needed scope is granted, or implied by one that is. */
export function requireScopes(
  granted: readonly string[],
  needed: readonly string[],
  implies: ImpliesScope,
): void {
  for (const scope of needed) {
    if (!granted.some((held) => implies(held, scope)))
      throw new Refusal('insufficient_scope', `lacks ${scope}`)
  }
}
