import type { RevocationRule } from './revocation/rules.ts'

/** A registered client; an agent when it was made by the admin API. Secrets only as hashes. */
export interface Client {
  readonly id: string
  /** `agent_…`: the admin API's name for it. */
  readonly agentId: string
  readonly name: string
  readonly secretHash: string | undefined
  /** The secret before the last rotation, and the second until which it still works. */
  readonly previousSecret: { readonly hash: string; readonly until: number } | undefined
  readonly registrationTokenHash: string | undefined
  readonly authMethod: string
  readonly grantTypes: readonly string[]
  readonly redirectUris: readonly string[]
  readonly responseTypes: readonly string[]
  readonly scopes: readonly string[]
  readonly dpopBound: boolean
  readonly active: boolean
  readonly createdAt: number
  readonly createdBy: string | undefined
  /** What RFC 7591 metadata was registered beside all that, echoed as it came. */
  readonly metadata: Readonly<Record<string, unknown>>
  /** Keys of `private_key_jwt`. */
  readonly jwks: { readonly keys: readonly Record<string, unknown>[] } | undefined
  /** The key it was last told to use, by `rotate-dpop-key`, or last used. */
  readonly jkt: string | undefined
}

/** An access token that was issued, by what revocation needs to find it. */
export interface IssuedToken {
  readonly jti: string
  readonly gid: string
  readonly clientId: string
  readonly subject: string
  readonly jkt: string | undefined
  readonly issuedAt: number
  readonly expiresAt: number
  readonly scope: string
  readonly audience: string | readonly string[]
}

export interface AuditEvent {
  readonly id: string
  readonly action: string
  /** What it was done to: an agent, a user, a token's `jti`, a pattern. */
  readonly target: string
  readonly reason: string | undefined
  readonly details: Readonly<Record<string, unknown>>
  /** Seconds. */
  readonly at: number
}

export interface VaultConnection {
  readonly id: string
  readonly provider: string
  readonly userId: string
  readonly secret: string | undefined
  /** Clients that have read it. */
  readonly usedBy: readonly string[]
}

export interface MayActGrant {
  readonly id: string
  readonly fromId: string
  readonly toId: string
  readonly maxHops: number
  readonly scopes: readonly string[]
  readonly expiresAt: number | undefined
  readonly createdAt: number
}

export interface Page<T> {
  readonly data: readonly T[]
  readonly total: number
}

/**
 * Everything an issuer remembers. What must happen at once, whoever else asks at the same time, is one method.
 */
export interface IssuerStore {
  client(id: string): Promise<Client | undefined>
  saveClient(client: Client): Promise<void>
  /** Newest first. */
  clients(): Promise<readonly Client[]>

  saveToken(token: IssuedToken): Promise<void>
  token(jti: string): Promise<IssuedToken | undefined>
  /** Tokens that have not expired. */
  liveTokens(clientId: string, now: number): Promise<readonly IssuedToken[]>

  /** Atomic: true for the first claim of a key until `expiresAt`. */
  claim(key: string, expiresAt: number, now: number): Promise<boolean>

  /** Atomic: gives the rules the next sequence numbers. @returns the last of them */
  appendRules(rules: readonly RevocationRule[]): Promise<number>
  /** Rules after `since` that have not expired, and the sequence number of the newest rule. */
  rulesSince(
    since: number,
    now: number,
  ): Promise<{ readonly seq: number; readonly rules: readonly RevocationRule[] }>
  /** Resolves when a rule after `since` exists, or after `seconds`, or when `signal` aborts. */
  waitForRules(since: number, seconds: number, signal: AbortSignal): Promise<void>

  /** A key that was rotated out: it can never be bound again. */
  retireKey(jkt: string): Promise<void>
  isRetiredKey(jkt: string): Promise<boolean>

  appendAudit(event: AuditEvent): Promise<void>
  /** Newest first. */
  auditEvents(): Promise<readonly AuditEvent[]>

  saveVaultConnection(connection: VaultConnection): Promise<void>
  vaultConnections(): Promise<readonly VaultConnection[]>
  deleteVaultConnection(id: string): Promise<void>

  saveMayActGrant(grant: MayActGrant): Promise<void>
  mayActGrants(): Promise<readonly MayActGrant[]>
  deleteMayActGrant(id: string): Promise<boolean>
}
