import { OAuthError } from './errors.ts'
import type { Client } from './records.ts'
import type { RegistrationSettings } from './registration/policy.ts'

const TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/

const invalidScope = (description: string) => new OAuthError('invalid_scope', description)

/** One scope, by the characters that RFC 6749 §3.3 allows. */
export const isScope = (name: string) => TOKEN.test(name)

/** Names of a space-delimited list (RFC 6749 §3.3), each once; `undefined` for none. @throws OAuthError `invalid_scope` */
export function parseScope(scope: unknown): readonly string[] | undefined {
  if (scope === undefined || scope === '') return undefined
  if (typeof scope !== 'string' || scope.length > 4000) throw invalidScope('scope must be a string')
  const scopes = scope.split(' ').filter((name) => name !== '')
  if (!scopes.every(isScope)) throw invalidScope('scope is malformed')
  return [...new Set(scopes)]
}

/** What was asked for, all of which the client must be allowed. @throws OAuthError `invalid_scope` */
export function registeredScope(
  asked: readonly string[] | undefined,
  client: Client,
  policy: RegistrationSettings,
): string {
  const wanted = asked ?? client.scopes
  if (!wanted.every((scope) => isAllowedScope(scope, client, policy))) {
    throw invalidScope('The client is not registered for this scope')
  }
  return wanted.join(' ')
}

/**
 * Whether a client may have a scope: by what was registered, where anything was; and, unless an administrator registered it,
 * by what is left to such clients.
 */
export function isAllowedScope(
  scope: string,
  { scopes: registered, registeredBy }: Client,
  { scopes: policy }: RegistrationSettings,
): boolean {
  const isWithin = (limit: readonly string[]) => limit.some((granted) => covers(granted, scope))
  return (
    (registered.length === 0 || isWithin(registered)) &&
    (registeredBy === 'admin' || policy === undefined || isWithin(policy))
  )
}

/** What was asked for, within what was granted; all of that if nothing was. @throws OAuthError `invalid_scope` */
export function narrowScope(asked: readonly string[] | undefined, granted: string): string {
  if (asked === undefined) return granted
  const names = granted.split(' ')
  if (!asked.every((scope) => names.includes(scope))) throw invalidScope('The grant does not have this scope')
  return asked.join(' ')
}

/** Whether what was granted includes a scope; `*` and `a.*` are wildcards, as at SharkAuth. */
export function covers(granted: string, scope: string): boolean {
  return (
    granted === scope || granted === '*' || (granted.endsWith('.*') && scope.startsWith(granted.slice(0, -1)))
  )
}
