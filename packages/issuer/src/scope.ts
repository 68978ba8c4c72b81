import { OAuthError } from './errors.ts'

const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/

/** One scope, by the characters that RFC 6749 §3.3 allows. */
export const isScope = (text: string) => SCOPE.test(text)

/** A space-delimited `scope` parameter, each scope once. @throws OAuthError `invalid_scope` */
export function parseScope(scope: unknown): readonly string[] | undefined {
  if (scope === undefined || scope === '') return undefined
  if (typeof scope !== 'string' || scope.length > 4000)
    throw new OAuthError('invalid_scope', 'scope must be a string')
  const scopes = scope.split(' ').filter((name) => name !== '')
  if (!scopes.every(isScope)) throw new OAuthError('invalid_scope', 'scope is malformed')
  return [...new Set(scopes)]
}

/** Whether what was granted includes a scope; `*` and `a.*` are wildcards, as at SharkAuth. */
export function covers(granted: string, scope: string): boolean {
  return (
    granted === scope || granted === '*' || (granted.endsWith('.*') && scope.startsWith(granted.slice(0, -1)))
  )
}
