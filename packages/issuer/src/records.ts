/** The kinds of record that a store keeps, each by an id of its own. Times are seconds since the epoch. */
export interface Records {
  /** By client id. Indexes: `agent:AGENT_ID`, `creator:USER_ID`. */
  client: Client
  /** Access tokens that live, by `jti`. Index: `client:ID`. */
  token: IssuedToken
  /** By SHA-256 of the code; kept for a while after its use, so that a second one is noticed. */
  code: AuthorizationCode
  /** By SHA-256 of the token; kept after its use until it would have expired. Index: `client:ID`. */
  refresh: RefreshToken
  /** By {@link consentId}. Indexes: `user:ID`, `client:ID`. */
  consent: Consent
  /** Index: `provider:NAME`. */
  vault: VaultConnection
  /** Gone when it expires. Index: `pair:FROM_ID TO_ID`. */
  mayAct: MayActGrant
  /** Indexes: `action:NAME`, `target:ID`. */
  audit: AuditEvent
  /** By algorithm and number: `ES256:1`. Index: the algorithm. */
  key: StoredKey
  /** Secrets that all instances share, by what they are for. */
  secret: { readonly value: string }
  /** Keys of agents that were rotated out, by thumbprint: they can never be bound again. */
  retired: { readonly clientId: string }
  /** By number. */
  statusList: StatusList
  /** By list and number of the chunk: `1:0`. Index: `list:NUMBER`. */
  statusBits: StatusBits
  /** What may be used once, by its hash: proofs, assertions. */
  claim: Record<never, never>
}

/** A registered client; an agent when it was made by the admin API. Secrets only as hashes. */
export interface Client {
  readonly id: string
  /** `agent_…`: the admin API's name for it. */
  readonly agentId: string
  /** The admin API, the client (RFC 7591), or the document that its id is the URL of. */
  readonly registeredBy: 'admin' | 'itself' | 'document'
  readonly name: string
  readonly secretHash?: string | undefined
  /** The secret before the last rotation, and the second until which it still works. */
  readonly previousSecret?: { readonly hash: string; readonly until: number } | undefined
  readonly registrationTokenHash?: string | undefined
  readonly authMethod: string
  readonly grantTypes: readonly string[]
  readonly redirectUris: readonly string[]
  readonly responseTypes: readonly string[]
  readonly scopes: readonly string[]
  /** The resources it serves, and so may introspect tokens for; empty for a client that serves none. */
  readonly resources: readonly string[]
  readonly dpopBound: boolean
  readonly active: boolean
  readonly createdAt: number
  readonly createdBy?: string | undefined
  /** What RFC 7591 metadata was registered beside all that, echoed as it came. */
  readonly metadata: Readonly<Record<string, unknown>>
  /** Keys of `private_key_jwt`. */
  readonly jwks?: { readonly keys: readonly Readonly<Record<string, unknown>>[] } | undefined
  /** It registered itself and has been granted something since: until then it is kept for a day only. */
  readonly used?: boolean
  /** The key it was last told to use, by `rotate-dpop-key`, or first used. */
  readonly jkt?: string | undefined
}

/** Who acts for the subject, and for whom it acts itself (RFC 8693 §4.1): the newest outermost. */
export interface Act {
  readonly sub: string
  readonly jkt?: string | undefined
  readonly act?: Act | undefined
}

/**
 * What revocation rules are compared with, in whatever carries a grant: access tokens, refresh tokens, codes, consents.
 * That they are compared at each use makes appending a rule the one act that ends them all.
 */
export interface Revocable {
  /** Access tokens only. */
  readonly jti?: string
  /** The grant: everything that came from one authorization has the same. */
  readonly gid: string
  readonly clientId: string
  readonly subject: string
  readonly jkt?: string | undefined
  readonly issuedAt: number
  readonly act?: Act | undefined
}

export interface IssuedToken extends Revocable {
  readonly jti: string
  readonly expiresAt: number
  readonly scope: string
  readonly audience: string | readonly string[]
  /** Where its status is published, if it is. */
  readonly status?: StatusReference | undefined
}

/** A bit of a status list. */
export interface StatusReference {
  readonly list: number
  readonly idx: number
}

export interface StatusList {
  readonly number: number
  /** Tokens that have room in it. */
  readonly size: number
  /** What its indices are shuffled by. */
  readonly secret: string
  /** Indices that have been taken, in the shuffled order. */
  readonly next: number
}

/** A piece of a list, base64; a bit that is set is a token that is not valid. Pieces without any are not kept. */
export interface StatusBits {
  readonly list: number
  readonly chunk: number
  readonly bits: string
  /** The second from which none of its tokens can be live. */
  readonly until: number
}

/** `jkt` is the `dpop_jkt` that it was asked for with (RFC 9449 §10). */
export interface AuthorizationCode extends Revocable {
  /** As the authorization request had it; absent when it had none. */
  readonly redirectUri?: string | undefined
  /** PKCE, S256. */
  readonly codeChallenge: string
  readonly scope: string
  /** What tokens may be asked for with it. */
  readonly resources: readonly string[]
  readonly expiresAt: number
  /** The request that used it. */
  readonly usedBy?: string
}

/** `jkt` only for public clients, whose refresh tokens are bound to the key (RFC 9449 §5). */
export interface RefreshToken extends Revocable {
  readonly scope: string
  readonly resources: readonly string[]
  /** The grant's tokens are bound to a key: so shall be those to come. */
  readonly dpop: boolean
  readonly expiresAt: number
  /** The request that used it. */
  readonly usedBy?: string
}

/** That a user agreed to what a client may do. */
export interface Consent extends Revocable {
  readonly scopes: readonly string[]
  readonly resources: readonly string[]
  readonly expiresAt: number
}

export const consentId = (userId: string, clientId: string) => `${userId} ${clientId}`

export interface AuditEvent {
  readonly id: string
  readonly action: string
  /** What it was done to: an agent, a user, a token's `jti`, a pattern. */
  readonly target: string
  readonly reason?: string | undefined
  readonly details: Readonly<Record<string, unknown>>
  readonly at: number
}

export interface VaultConnection {
  readonly id: string
  readonly provider: string
  readonly userId: string
  readonly secret?: string | undefined
  /** Clients that have read it. */
  readonly usedBy: readonly string[]
}

/** That a client may act for a subject (RFC 8693): `fromId` for `toId`, which is a `sub`; agent ids stand for clients. */
export interface MayActGrant {
  readonly id: string
  readonly fromId: string
  readonly toId: string
  readonly maxHops: number
  /** Empty: all of the subject token's. */
  readonly scopes: readonly string[]
  readonly expiresAt?: number | undefined
  readonly createdAt: number
}

/** A signing key of the issuer. */
export interface StoredKey {
  readonly kid: string
  readonly alg: string
  readonly number: number
  readonly publicJwk: Readonly<Record<string, unknown>>
  readonly privateJwk: Readonly<Record<string, unknown>>
  /** It is published before that, so that verifiers know it in time. */
  readonly signsFrom: number
  /** For how many seconds from `signsFrom` the key before it stays published. */
  readonly overlap: number
}
