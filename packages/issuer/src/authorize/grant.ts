import { createAuthorizationCode } from '../authorization-code.ts'
import { addClient, keepClient } from '../clients.ts'
import type { Settings } from '../options.ts'
import type { Client } from '../records.ts'
import type { Revocation } from '../revocation/revocation.ts'
import type { User } from '../users/users.ts'
import type { createConsents } from './consents.ts'
import type { AuthorizationRequest } from './request.ts'

/** @returns a function that grants a request in a user's name, and makes the code that says so */
export function createGrants(
  settings: Settings,
  revocation: Revocation,
  consents: ReturnType<typeof createConsents>,
) {
  const { store } = settings

  return async function grant(request: AuthorizationRequest, user: User): Promise<string> {
    const { client, scopes, resources, codeChallenge, givenRedirectUri: redirectUri, jkt } = request
    const scope = scopes.join(' ')
    const details = { client_id: client.id, user_id: user.id, scope, resources }
    const agentId = await know(client)
    await consents.remember(user.id, request)
    await revocation.audit('oauth.consent_granted', agentId, undefined, details)
    const subject = user.id
    const authorization = { clientId: client.id, subject, redirectUri, codeChallenge, scope, resources, jkt }
    return createAuthorizationCode(settings, revocation, authorization)
  }

  /**
   * Only now that somebody wants it is a client kept that nobody registered, and brought up to date with its document.
   * @returns the admin API's name for it
   */
  async function know(client: Client): Promise<string> {
    if (client.registeredBy !== 'document') {
      await keepClient(store, client)
      return client.agentId
    }
    if (await addClient(store, client)) return client.agentId
    const { agentId: _, active: __, createdAt: ___, ...described } = client
    const known = await store.update('client', client.id, (now) => ({ ...now, ...described }))
    return known?.agentId ?? client.agentId
  }
}
