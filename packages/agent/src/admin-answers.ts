/** Answers keep the names they have on the wire. Named here is what callers need; servers send more. */
export interface AdminAgent {
  readonly id: string
  readonly client_id: string
  readonly name: string
  readonly description?: string
  readonly scopes: readonly string[]
  readonly grant_types: readonly string[]
  readonly active: boolean
  readonly created_by?: string
  readonly [member: string]: unknown
}

/** Members not named here are sent too. */
export interface AgentRegistration {
  readonly name: string
  readonly description?: string
  readonly scopes?: readonly string[]
  readonly grant_types?: readonly string[]
  readonly token_endpoint_auth_method?: string
  /** Seconds. */
  readonly token_lifetime?: number
  /** The user the agent belongs to: a cascade from this user ends it. */
  readonly created_by?: string
  readonly [member: string]: unknown
}

export interface Page<Item> {
  readonly data: readonly Item[]
  readonly total: number
}

/** `chain: false` leaves alone what others got by delegation; the issuer's default is true. */
export interface RevocationOptions {
  readonly reason?: string
  readonly chain?: boolean
}

/** Which clients: `pattern`, or `clientIdPattern` as SharkAuth has it. */
export interface PatternRequest extends RevocationOptions {
  readonly pattern?: string
  readonly clientIdPattern?: string
}

export interface AgentRevocation {
  readonly message: string
  /** Live tokens that were ended. */
  readonly count: number
  /** Absent from a stock SharkAuth server. */
  readonly audit_event_id?: string
}

export interface VaultDisconnection {
  readonly revoked_agent_ids: readonly string[]
  readonly audit_event_id: string
  readonly [member: string]: unknown
}

export interface KeyRotation {
  readonly old_jkt: string
  readonly new_jkt: string
  readonly revoked_token_count: number
  readonly audit_event_id: string
}

export interface UserCascade {
  readonly revoked_agent_ids: readonly string[]
  readonly revoked_consent_count: number
  readonly audit_event_id: string
}

export interface PatternRevocation {
  readonly revoked_count: number
  readonly audit_event_id: string
  readonly pattern_matched: string
}

export interface MayActRequest {
  readonly fromId: string
  readonly toId: string
  readonly maxHops?: number
  readonly scopes?: readonly string[]
  readonly expiresAt?: string
}

export interface MayActGrant {
  readonly id: string
  readonly from_id: string
  readonly to_id: string
  readonly max_hops: number
  readonly scopes: readonly string[]
  readonly expires_at?: string | null
  readonly [member: string]: unknown
}

export interface AuditEvent {
  readonly id: string
  readonly action: string
  /** What it was done to: an agent, a user, a token's `jti`, a pattern. SharkAuth calls it `target_id`. */
  readonly target?: string
  readonly reason?: string | null
  readonly details?: Readonly<Record<string, unknown>>
  /** Seconds since the epoch. */
  readonly at?: number
  readonly actor_id?: string
  readonly target_id?: string
  readonly created_at?: string | number
  readonly metadata?: unknown
  readonly [member: string]: unknown
}

export interface AuditPage {
  readonly data: readonly AuditEvent[]
  readonly total?: number
  readonly has_more?: boolean
  readonly next_cursor?: string
}

/** Sent as the query, under the server's names (`action`, `actor_id`, `limit`, `cursor`, …). */
export type AdminQuery = Readonly<Record<string, string | number | boolean | undefined>>
