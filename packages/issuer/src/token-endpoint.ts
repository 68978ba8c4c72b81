import type { Context } from 'hono'
import { type createAccessTokens, requireTarget } from './access-token.ts'
import { authenticateClient, parseScope } from './clients.ts'
import { invalidProof, verifyProof } from './dpop.ts'
import { invalidGrant, invalidRequest, OAuthError } from './errors.ts'
import { readForm, uncacheable } from './http.ts'
import type { Nonces } from './nonces.ts'
import type { Settings } from './options.ts'
import type { Client } from './records.ts'

type Form = ReadonlyMap<string, readonly string[]>

/** POST /oauth/token (RFC 6749 §3.2), with DPoP (RFC 9449 §5) and resource indicators (RFC 8707 §2.2). */
export function createTokenEndpoint(
  settings: Settings,
  issue: ReturnType<typeof createAccessTokens>,
  nonces: Nonces | undefined,
) {
  const { store, clock, issuer } = settings
  const url = `${issuer.replace(/\/$/, '')}/oauth/token`

  return async (c: Context): Promise<Response> => {
    uncacheable(c)
    if (nonces !== undefined) c.header('DPoP-Nonce', await nonces.current(clock()))
    const form = await readForm(c)
    const client = await authenticateClient(store, c.req.header('authorization'), form, clock())
    const jkt = await boundKey(c, client)
    const grantType = form.get('grant_type')?.[0]
    if (grantType === undefined) throw invalidRequest('grant_type is required')
    if (grantType !== 'client_credentials') {
      throw new OAuthError('unsupported_grant_type', 'This grant type is not supported')
    }
    if (!client.grantTypes.includes(grantType)) {
      throw new OAuthError('unauthorized_client', 'The client is not registered for this grant type')
    }
    return c.json(await clientCredentials(client, form, jkt))
  }

  /** The key of the request's proof; `undefined` where the client sent none and need not. */
  async function boundKey(c: Context, client: Client): Promise<string | undefined> {
    const proof = c.req.header('dpop')
    if (proof === undefined) {
      if (client.dpopBound)
        throw invalidProof('The client is registered for bound tokens: a DPoP proof is required')
      return undefined
    }
    const now = clock()
    if (nonces !== undefined) await nonces.require(proof, now)
    const jkt = await verifyProof(proof, { method: 'POST', url, now, store })
    if (await store.get('retired', jkt))
      throw invalidGrant('The key has been rotated out and cannot be bound again')
    return jkt
  }

  async function clientCredentials(client: Client, form: Form, jkt: string | undefined) {
    if (client.authMethod === 'none') {
      throw new OAuthError('unauthorized_client', 'A public client cannot use client_credentials')
    }
    const scope = grantScope(parseScope(form.get('scope')?.[0]), client.scopes)
    const audience = requireTarget(form, settings)
    const { token, expiresIn } = await issue({
      clientId: client.id,
      subject: client.id,
      audience,
      scope,
      jkt,
    })
    if (jkt !== undefined && client.jkt === undefined)
      await store.update('client', client.id, (now) => ({ jkt, ...now }))
    return {
      access_token: token,
      token_type: jkt === undefined ? 'Bearer' : 'DPoP',
      expires_in: expiresIn,
      ...(scope === '' ? {} : { scope }),
      ...(jkt === undefined ? {} : { cnf: { jkt } }),
    }
  }
}

/** What was asked for, within what was registered; a client that registered none may ask for any. */
function grantScope(asked: readonly string[] | undefined, registered: readonly string[]): string {
  const wanted = asked ?? registered
  if (
    registered.length > 0 &&
    !wanted.every((scope) => registered.some((granted) => covers(granted, scope)))
  ) {
    throw new OAuthError('invalid_scope', 'The client is not registered for this scope')
  }
  return wanted.join(' ')
}

/** `*` and `a.*` are wildcards, as at SharkAuth. */
function covers(granted: string, scope: string): boolean {
  return (
    granted === scope || granted === '*' || (granted.endsWith('.*') && scope.startsWith(granted.slice(0, -1)))
  )
}
