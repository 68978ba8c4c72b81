import type { JWK } from 'jose'
import type {
  AdminAgent,
  AdminQuery,
  AgentRegistration,
  AgentRevocation,
  AuditPage,
  KeyRotation,
  MayActGrant,
  MayActRequest,
  Page,
  PatternRevocation,
  RevocationOptions,
  UserCascade,
  VaultDisconnection,
} from './admin-answers.ts'
import { AgentError, isRecord, parseOAuthError } from './errors.ts'
import { type Fetch, globalFetch } from './fetch.ts'
import { exchangeJson } from './json-exchange.ts'
import { requireKnown, requireWireNames } from './known-options.ts'
import { parseHttpUrl } from './request-target.ts'

export interface AdminClientOptions {
  readonly baseUrl: string | URL
  readonly adminKey: string
  readonly fetch?: Fetch
}

const OPTIONS: Record<keyof AdminClientOptions, true> = { baseUrl: true, adminKey: true, fetch: true }

const MAY_ACT: Record<keyof MayActRequest, true> = {
  fromId: true,
  toId: true,
  maxHops: true,
  scopes: true,
  expiresAt: true,
}

type Send = <Answer>(
  method: string,
  path: readonly string[],
  body?: object,
  query?: AdminQuery,
) => Promise<Answer>

/**
 * SharkAuth's admin API, as far as agents and the five layers of revocation go. Every call throws {@link OAuthError}
 * for the server's refusals. A revocation is done when its promise resolves; guards learn of it right after.
 */
export class AdminClient {
  readonly agents: ReturnType<typeof createAgents>
  readonly users: ReturnType<typeof createUsers>
  readonly vault: ReturnType<typeof createVault>
  readonly mayAct: ReturnType<typeof createMayAct>
  readonly auditLogs: ReturnType<typeof createAuditLogs>
  readonly keys: ReturnType<typeof createKeys>
  readonly #send: Send
  readonly #revokeToken: (token: string) => Promise<void>

  /** By options, or by base URL and admin key as SharkAuth's Python SDK has it. */
  constructor(given: AdminClientOptions | string | URL, adminKey = '') {
    const options = typeof given === 'string' || given instanceof URL ? { baseUrl: given, adminKey } : given
    requireKnown('AdminClient', options, OPTIONS)
    if (typeof options.adminKey !== 'string' || options.adminKey === '') {
      throw new AgentError('configuration', 'adminKey must be the key the issuer printed at its first start')
    }
    this.#send = createSend(options)
    this.#revokeToken = createRevokeToken(options)
    this.agents = createAgents(this.#send)
    this.users = createUsers(this.#send)
    this.vault = createVault(this.#send)
    this.mayAct = createMayAct(this.#send)
    this.auditLogs = createAuditLogs(this.#send)
    this.keys = createKeys(this.#send)
  }

  /** Layer 1: one access token; with a refresh token, the whole grant. Resolves also when the token is not known. */
  revokeToken(token: string): Promise<void> {
    return this.#revokeToken(token)
  }

  /** Layer 4: the tokens of every client whose id matches the SQLite GLOB pattern. */
  async revokeByPattern(
    request: string | ({ pattern: string } & RevocationOptions),
  ): Promise<PatternRevocation> {
    const given = typeof request === 'string' ? { pattern: request } : request
    requireKnown('revokeByPattern', given, { pattern: true, reason: true, chain: true })
    const { pattern, ...options } = given
    const body = { client_id_pattern: pattern, ...options }
    return this.#send('POST', ['admin', 'oauth', 'revoke-by-pattern'], body)
  }
}

function createAgents(send: Send) {
  return {
    /** The answer's `client_secret` is shown this once. */
    register: async (agent: AgentRegistration) => {
      requireWireNames('agents.register', agent)
      return send<AdminAgent & { readonly client_secret: string }>('POST', ['agents'], agent)
    },
    list: (query: AdminQuery = {}) => send<Page<AdminAgent>>('GET', ['agents'], undefined, query),
    /** By agent id or client id, here and below. */
    get: (id: string) => send<AdminAgent>('GET', ['agents', id]),
    update: async (id: string, changes: Partial<AgentRegistration> & { active?: boolean }) => {
      requireWireNames('agents.update', changes)
      return send<AdminAgent>('PATCH', ['agents', id], changes)
    },
    /** Layer 2: ends the agent and all its tokens; it can get no new ones. */
    deactivate: (id: string) => send<void>('DELETE', ['agents', id]),
    listTokens: (id: string) =>
      send<{ readonly data: readonly Readonly<Record<string, unknown>>[] }>('GET', ['agents', id, 'tokens']),
    /** Layer 2: ends all tokens issued so far; the agent may get new ones. */
    revokeAll: async (id: string, options?: RevocationOptions) => {
      if (options !== undefined) requireKnown('agents.revokeAll', options, { reason: true, chain: true })
      return send<AgentRevocation>('POST', ['agents', id, 'tokens', 'revoke-all'], options)
    },
    /** What was done to it, newest first. */
    audit: (id: string, query: AdminQuery = {}) =>
      send<AuditPage>('GET', ['agents', id, 'audit'], undefined, query),
    rotateSecret: (id: string) =>
      send<{ readonly client_id: string; readonly client_secret: string; readonly message: string }>('POST', [
        'agents',
        id,
        'rotate-secret',
      ]),
    /** Ends the tokens of the old key, which can never be bound again. A string is the reason, as in SharkAuth's SDK. */
    rotateDpopKey: async (id: string, newPublicJwk: JWK, options: string | { reason?: string } = {}) => {
      const { reason, ...unknown } = typeof options === 'string' ? { reason: options } : options
      requireKnown('agents.rotateDpopKey', unknown, { reason: true })
      return send<KeyRotation>('POST', ['agents', id, 'rotate-dpop-key'], {
        new_public_jwk: newPublicJwk,
        reason,
      })
    },
  }
}

function createUsers(send: Send) {
  return {
    /** Layer 3: the tokens of the agents the user created or authorized; `agentIds` narrows it. */
    revokeAgents: async (userId: string, options: { agentIds?: readonly string[]; reason?: string } = {}) => {
      requireKnown('users.revokeAgents', options, { agentIds: true, reason: true })
      return send<UserCascade>('POST', ['users', userId, 'revoke-agents'], {
        agent_ids: options.agentIds,
        reason: options.reason,
      })
    },
    listAgents: (userId: string, query: { filter?: 'created' | 'authorized' } = {}) =>
      send<Page<AdminAgent> & { readonly filter: string }>(
        'GET',
        ['users', userId, 'agents'],
        undefined,
        query,
      ),
  }
}

function createVault(send: Send) {
  const connections = ['admin', 'vault', 'connections']
  return {
    connect: async (connection: { provider: string; userId: string; secret?: string }) => {
      requireKnown('vault.connect', connection, { provider: true, userId: true, secret: true })
      const { provider, userId, secret } = connection
      return send<{ readonly id: string }>('POST', connections, { provider, user_id: userId, secret })
    },
    list: (query: AdminQuery = {}) =>
      send<Page<Readonly<Record<string, unknown>>>>('GET', connections, undefined, query),
    /** Layer 5: the tokens of every agent that ever used the connection. */
    disconnect: (id: string) => send<VaultDisconnection | undefined>('DELETE', [...connections, id]),
  }
}

function createMayAct(send: Send) {
  const grants = ['admin', 'may-act']
  return {
    list: (query: AdminQuery = {}) =>
      send<{ readonly grants: readonly MayActGrant[] }>('GET', grants, undefined, query),
    /** `fromId` may act for `toId`; `expiresAt` is RFC 3339. */
    create: async (grant: MayActRequest) => {
      requireKnown('mayAct.create', grant, MAY_ACT)
      return send<MayActGrant>('POST', grants, {
        from_id: grant.fromId,
        to_id: grant.toId,
        max_hops: grant.maxHops,
        scopes: grant.scopes,
        expires_at: grant.expiresAt,
      })
    },
    revoke: (id: string) => send<Readonly<Record<string, unknown>> | undefined>('DELETE', [...grants, id]),
  }
}

function createAuditLogs(send: Send) {
  return { list: (query: AdminQuery = {}) => send<AuditPage>('GET', ['audit-logs'], undefined, query) }
}

function createKeys(send: Send) {
  return {
    /**
     * A new signing key for the issuer; the old one stays published until its tokens have expired, or with `compromised`
     * is withdrawn at once, and all that it signed with it.
     */
    rotate: (options?: { compromised?: boolean; reason?: string }) =>
      send<{ readonly rotated: boolean; readonly kid: string; readonly algorithm: string }>(
        'POST',
        ['admin', 'auth', 'rotate-signing-key'],
        options,
      ),
  }
}

function createSend({ baseUrl, adminKey, fetch: fetchFn = globalFetch }: AdminClientOptions): Send {
  const { origin, pathname } = parseHttpUrl(baseUrl, 'baseUrl')
  return async <Answer>(method: string, path: readonly string[], json?: object, query: AdminQuery = {}) => {
    const url = new URL(`${origin}${pathname.replace(/\/$/, '')}/api/v1/${path.map(encodeSegment).join('/')}`)
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, `${value}`)
    const headers = { authorization: `Bearer ${adminKey}`, accept: 'application/json' }
    const init =
      json === undefined
        ? { method, headers }
        : { method, headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(json) }
    const { status, body } = await exchangeJson(fetchFn, url, init)
    const secret = isRecord(json) ? json.secret : undefined
    if (status < 200 || status > 299) {
      throw parseOAuthError(status, body, [adminKey, typeof secret === 'string' ? secret : ''])
    }
    if (status !== 204 && !isRecord(body)) {
      throw new AgentError(
        'protocol',
        `${url.origin}${url.pathname} answered ${status} without a JSON object`,
      )
    }
    return body as Answer
  }
}

/** RFC 7009, as the admin. */
function createRevokeToken({ baseUrl, adminKey, fetch: fetchFn = globalFetch }: AdminClientOptions) {
  const { origin, pathname } = parseHttpUrl(baseUrl, 'baseUrl')
  return async (token: string): Promise<void> => {
    const url = `${origin}${pathname.replace(/\/$/, '')}/oauth/revoke`
    const headers = {
      authorization: `Bearer ${adminKey}`,
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
    }
    const init = { method: 'POST', headers, body: new URLSearchParams({ token }).toString() }
    const { status, body } = await exchangeJson(fetchFn, url, init)
    if (status !== 200) throw parseOAuthError(status, body, [adminKey, token])
  }
}

/** A dot segment would change which path is called. */
function encodeSegment(segment: string): string {
  if (segment === '' || segment === '.' || segment === '..') {
    throw new AgentError('configuration', 'an id must not be empty')
  }
  return encodeURIComponent(segment)
}
