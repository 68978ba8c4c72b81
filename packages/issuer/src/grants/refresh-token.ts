import { invalidProof } from '../dpop.ts'
import { invalidGrant, invalidRequest } from '../errors.ts'
import type { Parts } from '../parts.ts'
import { randomId, sha256 } from '../random.ts'
import { narrowScope, parseScope } from '../scope.ts'
import { narrowTargets } from '../target.ts'
import { createRefreshToken, endIfOutrun, type Grant, tokenResponse } from './grant.ts'

const refused = () => invalidGrant('The refresh token is not valid')

/**
 * `refresh_token` (RFC 6749 §6): each is used once and gives the next. That one comes a second time means that two have it:
 * the grant ends (RFC 9700 §4.14.2). The scope may be narrowed for the access token; the refresh token keeps all of it.
 */
export function refreshTokenGrant(parts: Parts): Grant {
  const { settings, tokens, revocation } = parts
  const { store } = settings

  return async ({ client, form, jkt }) => {
    const text = form.get('refresh_token')?.[0]
    if (text === undefined) throw invalidRequest('refresh_token is required')
    const id = await sha256(text)
    const refresh = await store.get('refresh', id)
    if (refresh === undefined || refresh.clientId !== client.id) throw refused()
    if (refresh.dpop && jkt === undefined) throw invalidProof('The grant is bound: a DPoP proof is required')
    if (refresh.jkt !== undefined && refresh.jkt !== jkt) {
      throw invalidGrant('The refresh token is bound to another DPoP key')
    }
    const { gid, subject, resources } = refresh
    const scope = narrowScope(parseScope(form.get('scope')?.[0]), refresh.scope)
    const audience = narrowTargets(form, settings, resources)
    const issuedAt = await tokens.issuedAt(refresh, { jkt })
    if (issuedAt === undefined) throw refused()
    await use(id)
    const issued = await tokens.issue({ clientId: client.id, subject, gid, issuedAt, audience, scope, jkt })
    const granted = { client, subject, gid, issuedAt, jkt, scope: refresh.scope, resources }
    const refresh_token = await createRefreshToken(parts, granted)
    await endIfOutrun(parts, refresh, { jkt, issuedAt })
    return tokenResponse(issued, { jkt, scope }, { refresh_token })
  }

  /** Marks the token as used: for one caller. */
  async function use(id: string): Promise<void> {
    const usedBy = randomId()
    const refresh = await store.update('refresh', id, (before) => ({ usedBy, ...before }))
    if (refresh?.usedBy === usedBy) return
    if (refresh !== undefined) await revocation.revokeGrant(refresh, 'oauth.refresh_token_reused')
    throw refused()
  }
}
