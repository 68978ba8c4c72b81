import { invalidGrant, invalidRequest } from '../errors.ts'
import type { Parts } from '../parts.ts'
import { isEqualInConstantTime, randomId, sha256 } from '../random.ts'
import type { AuthorizationCode } from '../records.ts'
import { narrowTargets } from '../target.ts'
import { createRefreshToken, endIfOutrun, type Grant, type GrantRequest, tokenResponse } from './grant.ts'

const refused = () => invalidGrant('The authorization code is not valid')

/**
 * `authorization_code` (RFC 6749 §4.1.3) with PKCE, S256 (RFC 7636 §4.6). A code is used up by the first request that has
 * everything right; a second such request ends all that came of the first (§4.1.2). One that lacks the verifier does
 * neither: whoever has only seen the code can disturb nothing.
 */
export function authorizationCodeGrant(parts: Parts): Grant {
  const { settings, tokens, revocation } = parts
  const { store, clock } = settings

  return async (request) => {
    const { client, form, jkt } = request
    const id = await sha256(required(request, 'code'))
    const code = await store.get('code', id)
    if (code === undefined || code.clientId !== client.id) throw refused()
    await requireSameFlow(request, code)
    const audience = narrowTargets(form, settings, code.resources)
    const { gid, subject, scope, resources } = code
    const issuedAt = await tokens.issuedAt(code, { jkt })
    if (issuedAt === undefined || (code.usedBy === undefined && clock() >= code.expiresAt)) throw refused()
    await redeem(id)
    const issued = await tokens.issue({ clientId: client.id, subject, gid, issuedAt, audience, scope, jkt })
    const granted = { client, subject, gid, issuedAt, jkt, scope, resources }
    const next = client.grantTypes.includes('refresh_token')
      ? { refresh_token: await createRefreshToken(parts, granted) }
      : {}
    await endIfOutrun(parts, code, { jkt, issuedAt })
    return tokenResponse(issued, { jkt, scope }, next)
  }

  /** Marks the code as used: for one caller. */
  async function redeem(id: string): Promise<void> {
    const usedBy = randomId()
    const code = await store.update('code', id, (before) => ({ usedBy, ...before }))
    if (code?.usedBy === usedBy) return
    if (code !== undefined) await revocation.revokeGrant(code, 'oauth.code_reused')
    throw refused()
  }
}

async function requireSameFlow(request: GrantRequest, code: AuthorizationCode): Promise<void> {
  const verifier = required(request, 'code_verifier')
  if (!/^[A-Za-z0-9._~-]{43,128}$/.test(verifier)) throw invalidGrant('code_verifier is malformed')
  const challenge = await sha256(verifier)
  if (!isEqualInConstantTime(challenge, code.codeChallenge)) throw refused()
  const redirectUri = request.form.get('redirect_uri')?.[0]
  if (redirectUri !== code.redirectUri)
    throw invalidGrant('redirect_uri is not that of the authorization request')
  if (code.jkt !== undefined && request.jkt !== code.jkt) {
    throw invalidGrant('The code is bound to another DPoP key (dpop_jkt)')
  }
}

function required({ form }: GrantRequest, name: string): string {
  const value = form.get(name)?.[0]
  if (value === undefined) throw invalidRequest(`${name} is required`)
  return value
}
