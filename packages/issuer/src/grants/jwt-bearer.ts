import { findAgent } from '../clients.ts'
import { invalidGrant, invalidRequest, OAuthError } from '../errors.ts'
import { createAssertionCheck, type IdentityAssertion } from '../identity-providers/identity-assertion.ts'
import type { Parts } from '../parts.ts'
import type { Client } from '../records.ts'
import { isAllowedScope, parseScope } from '../scope.ts'
import { narrowTargets } from '../target.ts'
import { type Grant, type GrantRequest, tokenResponse } from './grant.ts'

/**
 * `jwt-bearer` (RFC 7523 §2.1) with the assertion of an identity provider: a token in a user's name whom nobody asks here.
 * No refresh token: the provider says each time whether it may still be. An assertion is good once, and not after a
 * revocation that would have ended what came of it.
 */
export function jwtBearerGrant({ settings, tokens, revocation }: Parts): Grant {
  const { store, registration } = settings
  const check = createAssertionCheck(settings)

  return async (request) => {
    const { client, form, jkt } = request
    if (client.authMethod === 'none') {
      throw new OAuthError('unauthorized_client', 'A public client cannot use jwt-bearer')
    }
    const text = form.get('assertion')?.[0]
    if (text === undefined) throw invalidRequest('assertion is required')
    const assertion = await check(text)
    requireSameParty(request, assertion)
    const { id: gid, subject, issuedAt: assertedAt } = assertion
    const audience = narrowTargets(form, settings, assertion.resources)
    const scope = grantedScope(parseScope(form.get('scope')?.[0]), assertion.scopes, client)
    if ((await findAgent(store, subject)) !== undefined) {
      throw invalidGrant('The subject of the assertion is a client')
    }
    const grant = { gid, clientId: client.id, subject, jkt }
    const issuedAt = await tokens.issuedAt({ ...grant, issuedAt: assertedAt })
    if (issuedAt === undefined) throw invalidGrant('What the assertion is for has been revoked')
    await use(assertion, client, scope)
    const issued = await tokens.issue({ ...grant, issuedAt, audience, scope })
    const resource = audience.length === 1 ? audience[0] : audience
    return tokenResponse(issued, { jkt, scope }, { resource })
  }

  /** Marks the assertion as used: for one caller, once everything else is right. */
  async function use(assertion: IdentityAssertion, client: Client, scope: string): Promise<void> {
    const { id, subject, provider, resources, expiresAt } = assertion
    const isFirst = await store.add('claim', id, {}, { expiresAt })
    const details = { client_id: client.id, user_id: subject, identity_provider: provider, scope, resources }
    const action = isFirst ? 'oauth.identity_assertion_granted' : 'oauth.identity_assertion_reused'
    await revocation.audit(action, client.agentId, undefined, details)
    if (!isFirst) throw invalidGrant('The assertion has been used before')
  }

  /** What was asked for, as far as the provider, and whoever registered the client, allow it (EMA §7.2.1). */
  function grantedScope(
    asked: readonly string[] | undefined,
    asserted: readonly string[],
    client: Client,
  ): string {
    const wanted = asked ?? asserted
    const scopes = wanted.filter(
      (scope) => asserted.includes(scope) && isAllowedScope(scope, client, registration),
    )
    if (scopes.length > 0 || wanted.length === 0) return scopes.join(' ')
    throw new OAuthError('invalid_scope', 'The assertion, or the client, has none of these scopes')
  }
}

/** Who presents the assertion is who it was made for, and has the key that it is bound to. */
function requireSameParty({ client, jkt }: GrantRequest, assertion: IdentityAssertion): void {
  if (assertion.clientId !== client.id) throw invalidGrant('The assertion is for another client')
  if (assertion.jkt !== undefined && assertion.jkt !== jkt) {
    throw invalidGrant('The assertion is bound to a key that this request does not prove')
  }
}
