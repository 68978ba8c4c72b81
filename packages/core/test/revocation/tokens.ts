import type { AccessToken, Actor } from '../../src/access-token.ts'

export const ISSUER = 'http://as.example.com'
export const NOW = 1_800_000_000

let count = 0

/** A verified access token, as the sources see one. */
export function tokenOf(changes: Partial<AccessToken> = {}): AccessToken {
  const id = changes.id ?? `jti-${count++}`
  const clientId = changes.clientId ?? 'agent-1'
  return {
    issuer: ISSUER,
    subject: 'user-1',
    clientId,
    audience: ['https://mcp.example.com/mcp'],
    issuedAt: NOW - 10,
    expiresAt: NOW + 890,
    notBefore: 0,
    id,
    grant: 'grant-1',
    scopes: [],
    jkt: 'key-1',
    actors: [],
    keyId: 'kid-1',
    hash: `hash of ${id}`,
    claims: { iss: ISSUER, client_id: clientId, jti: id },
    ...changes,
  }
}

export const actor = (sub: string, jkt?: string): Actor => ({
  sub,
  ...(jkt === undefined ? {} : { jkt }),
  claims: {},
})
