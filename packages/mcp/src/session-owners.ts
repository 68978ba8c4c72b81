import type { AuthInfo } from '@sharkguard/core'

/** How many sessions are remembered. */
export interface SessionOwnersOptions {
  /** Sessions remembered in all. Default 100,000. */
  readonly limit?: number
  /** Sessions remembered of one owner, so that nobody can have those of others forgotten. Default 1,000. */
  readonly limitPerOwner?: number
}

const ANYBODY = 'anybody'

/**
 * Whom MCP sessions belong to: the issuer, subject, client and key that opened one. A session id is no credential (MCP
 * security best practices, session hijacking): brought by anybody else, or not known here, it is refused. One that was
 * opened without credentials belongs to the first who brings it with any. In the memory of this process, the least
 * recently used forgotten first.
 */
export function sessionOwners({ limit = 100_000, limitPerOwner = 1_000 }: SessionOwnersOptions = {}) {
  const owners = new Map<string, string>()
  const sessionsOf = new Map<string, Set<string>>()

  function remember(sessionId: string, owner: string): void {
    const sessions = sessionsOf.get(owner) ?? new Set()
    sessionsOf.set(owner, sessions.add(sessionId))
    owners.set(sessionId, owner)
    const excess = sessions.size > limitPerOwner ? sessions : owners.size > limit ? owners : undefined
    const oldest = excess?.keys().next().value
    if (oldest !== undefined) closed(oldest)
  }

  /** To be called when a handler has opened a session. */
  function opened(sessionId: string, auth: AuthInfo | undefined): void {
    if (!owners.has(sessionId)) remember(sessionId, ownerOf(auth))
  }

  /** Whether a request with this session id may be handled. */
  function admits(sessionId: string, auth: AuthInfo | undefined): boolean {
    const owner = owners.get(sessionId)
    const caller = ownerOf(auth)
    if (owner === undefined || (owner !== caller && owner !== ANYBODY)) return false
    closed(sessionId)
    remember(sessionId, caller)
    return true
  }

  /** To be called when a session has ended. */
  function closed(sessionId: string): void {
    const owner = owners.get(sessionId)
    if (owner === undefined) return
    owners.delete(sessionId)
    const sessions = sessionsOf.get(owner)
    sessions?.delete(sessionId)
    if (sessions?.size === 0) sessionsOf.delete(owner)
  }

  return { opened, admits, closed }
}

function ownerOf(auth: AuthInfo | undefined): string {
  if (auth === undefined) return ANYBODY
  return JSON.stringify([auth.issuer, auth.subject, auth.clientId, auth.cnf?.jkt])
}
