import { OAuthError } from '../errors.ts'
import type { Parts } from '../parts.ts'
import { parseScope, registeredScope } from '../scope.ts'
import { requireTargets } from '../target.ts'
import { type Grant, tokenResponse } from './grant.ts'

/** `client_credentials` (RFC 6749 §4.4): the client for itself. */
export function clientCredentialsGrant({ settings, tokens }: Parts): Grant {
  return async ({ client, form, jkt }) => {
    if (client.authMethod === 'none') {
      throw new OAuthError('unauthorized_client', 'A public client cannot use client_credentials')
    }
    const { registration } = settings
    if (client.registeredBy === 'document' && !registration.isOpen) {
      throw new OAuthError('unauthorized_client', 'A client that nobody registered acts for users only')
    }
    const scope = registeredScope(parseScope(form.get('scope')?.[0]), client, registration)
    const audience = requireTargets(form, settings)
    const issued = await tokens.issue({ clientId: client.id, subject: client.id, audience, scope, jkt })
    return tokenResponse(issued, { jkt, scope })
  }
}
