import type { Context } from 'hono'
import { authenticateClient } from './client-authentication.ts'
import { keepClient } from './clients.ts'
import { invalidProof, verifyProof } from './dpop.ts'
import { invalidClient, invalidGrant, invalidRequest, OAuthError } from './errors.ts'
import { authorizationCodeGrant } from './grants/authorization-code.ts'
import { clientCredentialsGrant } from './grants/client-credentials.ts'
import type { Grant } from './grants/grant.ts'
import { jwtBearerGrant } from './grants/jwt-bearer.ts'
import { refreshTokenGrant } from './grants/refresh-token.ts'
import { tokenExchangeGrant } from './grants/token-exchange.ts'
import { readForm, uncacheable } from './http.ts'
import { createNonces } from './nonces.ts'
import type { Parts } from './parts.ts'
import type { Client } from './records.ts'
import { JWT_BEARER, TOKEN_EXCHANGE } from './registration/client-metadata.ts'

/** POST /oauth/token (RFC 6749 §3.2), with DPoP (RFC 9449 §5). */
export function createTokenEndpoint(parts: Parts) {
  const { store, clock, base, nonce, grantTypes } = parts.settings
  const nonces = nonce ? createNonces(store) : undefined
  const grants = new Map<string, Grant>([
    ['authorization_code', authorizationCodeGrant(parts)],
    ['client_credentials', clientCredentialsGrant(parts)],
    ['refresh_token', refreshTokenGrant(parts)],
    [TOKEN_EXCHANGE, tokenExchangeGrant(parts)],
    [JWT_BEARER, jwtBearerGrant(parts)],
  ])

  return async (c: Context): Promise<Response> => {
    uncacheable(c)
    if (nonces !== undefined) c.header('DPoP-Nonce', await nonces.current(clock()))
    const form = await readForm(c)
    const client = await authenticateClient(c, form, parts.settings, { grace: true })
    const grantType = form.get('grant_type')?.[0]
    if (grantType === undefined) throw invalidRequest('grant_type is required')
    const grant = grants.get(grantType)
    if (grant === undefined || !grantTypes.includes(grantType)) {
      throw new OAuthError('unsupported_grant_type', 'This grant type is not supported')
    }
    // Who may exchange tokens is for may-act grants to say.
    if (grantType !== TOKEN_EXCHANGE && !client.grantTypes.includes(grantType)) {
      throw new OAuthError('unauthorized_client', 'The client is not registered for this grant type')
    }
    const jkt = await provenKey(c, client)
    const response = await grant({ client, form, jkt })
    // Deactivated since it authenticated, and what it got may be dated after that: it ends all the same.
    if ((await store.get('client', client.id))?.active === false) {
      await parts.revocation.revokeClient(client, 'agent.deactivated_with_revocation')
      throw invalidClient()
    }
    await keepClient(store, client)
    // Of an agent, whatever it does with it: what rotation retires. A public client has as many keys as installations.
    if (jkt !== undefined && client.jkt === undefined && client.authMethod !== 'none') {
      await store.update('client', client.id, (now) => ({ jkt, ...now }))
    }
    return c.json(response)
  }

  /** The key of the request's proof; `undefined` where the client sent none and need not. */
  async function provenKey(c: Context, client: Client): Promise<string | undefined> {
    const proof = c.req.header('dpop')
    if (proof === undefined) {
      if (!client.dpopBound) return undefined
      throw invalidProof('The client is registered for bound tokens: a DPoP proof is required')
    }
    const now = clock()
    if (nonces !== undefined) await nonces.require(proof, now)
    const jkt = await verifyProof(proof, { method: 'POST', url: `${base}/oauth/token`, now, store })
    if ((await store.get('retired', jkt)) !== undefined) {
      throw invalidGrant('The key has been rotated out and cannot be bound again')
    }
    return jkt
  }
}
