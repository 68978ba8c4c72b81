import { OAuthError } from '../errors.ts'
import { covers } from '../scope.ts'

/**
 * The scopes that a client gets which no administrator registered: those that it wants, within the policy; all that the
 * policy has if it names none.
 * @param allowed `undefined`: any
 */
export function requireScopes(
  wanted: readonly string[],
  allowed: readonly string[] | undefined,
): readonly string[] {
  if (allowed === undefined) return wanted
  if (!wanted.every((scope) => allowed.some((granted) => covers(granted, scope)))) {
    throw new OAuthError(
      'invalid_client_metadata',
      'Clients that register themselves may not have this scope',
    )
  }
  return wanted.length === 0 ? allowed : wanted
}
