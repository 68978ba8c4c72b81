import type { AuthInfo } from '@sharkguard/core'

/** Sessions remembered; the oldest is forgotten first, and then refused. */
const MAX_SESSIONS = 100_000

/**
 * Whom MCP sessions belong to: the issuer, subject, client and key that opened one. A session id is no credential (MCP
 * security best practices, session hijacking): brought by anybody else, or not known here, it is refused.
 */
export function sessionOwners(limit = MAX_SESSIONS) {
  const owners = new Map<string, string>()

  return {
    opened(sessionId: string, auth: AuthInfo | undefined): void {
      owners.delete(sessionId)
      owners.set(sessionId, identityOf(auth))
      for (const oldest of owners.keys()) {
        if (owners.size <= limit) break
        owners.delete(oldest)
      }
    },
    isOwner(sessionId: string, auth: AuthInfo | undefined): boolean {
      return owners.get(sessionId) === identityOf(auth)
    },
    closed(sessionId: string): void {
      owners.delete(sessionId)
    },
  }
}

function identityOf(auth: AuthInfo | undefined): string {
  return JSON.stringify(auth && [auth.issuer, auth.subject, auth.clientId, auth.cnf?.jkt]) ?? 'anonymous'
}
