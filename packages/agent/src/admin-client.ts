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
  PatternRequest,
  PatternRevocation,
  RevocationOptions,
  UserCascade,
  VaultDisconnection,
} from './admin-answers.ts'
import { AgentError, isRecord, parseOAuthError } from './errors.ts'
import { type Fetch, globalFetch } from './fetch.ts'
import { exchangeJson } from './json-exchange.ts'
import { requireKnown, wireMembers } from './known-options.ts'
import { parseHttpUrl } from './request-target.ts'

/** The issuer whose admin API is called, and the key that opens it. */
export interface AdminClientOptions {
  readonly baseUrl: string | URL
  readonly adminKey: string
  readonly fetch?: Fetch
}

const OPTIONS: Record<keyof AdminClientOptions, true> = { baseUrl: true, adminKey: true, fetch: true }

type Send = <Answer>(
  method: string,
  path: readonly string[],
  body?: object,
  query?: AdminQuery,
) => Promise<Answer>

/**
 * SharkAuth's admin API, as far as agents and the five layers of revocation go. Every call throws {@link OAuthError}
 * for the server's refusals. What a call takes may be written in camel case or as on the wire. A revocation is done when
 * its promise resolves; guards learn of it right after.
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
  async revokeByPattern(request: string | PatternRequest): Promise<PatternRevocation> {
    const { pattern, ...given } =
      typeof request === 'string' ? { pattern: request } : wireMembers('revokeByPattern', request)
    const named = pattern === undefined ? given : { ...given, client_id_pattern: pattern }
    const body = known('revokeByPattern', named, ['client_id_pattern', 'reason', 'chain'])
    return this.#send('POST', ['admin', 'oauth', 'revoke-by-pattern'], body)
  }
}

function createAgents(send: Send) {
  return {
    /** The answer's `client_secret` is shown this once. */
    register: async (agent: AgentRegistration) => {
      const members = wireMembers('agents.register', agent)
      return send<AdminAgent & { readonly client_secret: string }>('POST', ['agents'], members)
    },
    list: (query: AdminQuery = {}) => send<Page<AdminAgent>>('GET', ['agents'], undefined, query),
    /** By agent id or client id, here and below. */
    get: (id: string) => send<AdminAgent>('GET', ['agents', id]),
    update: async (id: string, changes: Partial<AgentRegistration> & { active?: boolean }) => {
      return send<AdminAgent>('PATCH', ['agents', id], wireMembers('agents.update', changes))
    },
    /** Layer 2: ends the agent and all its tokens; it can get no new ones. */
    deactivate: (id: string) => send<void>('DELETE', ['agents', id]),
    listTokens: (id: string) =>
      send<{ readonly data: readonly Readonly<Record<string, unknown>>[] }>('GET', ['agents', id, 'tokens']),
    /** Layer 2: ends all tokens issued so far; the agent may get new ones. */
    revokeAll: async (id: string, options?: RevocationOptions) => {
      const body = options && known('agents.revokeAll', options, ['reason', 'chain'])
      return send<AgentRevocation>('POST', ['agents', id, 'tokens', 'revoke-all'], body)
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
      const given = typeof options === 'string' ? { reason: options } : options
      const body = { new_public_jwk: newPublicJwk, ...known('agents.rotateDpopKey', given, ['reason']) }
      return send<KeyRotation>('POST', ['agents', id, 'rotate-dpop-key'], body)
    },
  }
}

function createUsers(send: Send) {
  return {
    /** Layer 3: the tokens of the agents the user created or authorized; `agentIds` narrows it. */
    revokeAgents: async (userId: string, options: { agentIds?: readonly string[]; reason?: string } = {}) => {
      const body = known('users.revokeAgents', options, ['agent_ids', 'reason'])
      return send<UserCascade>('POST', ['users', userId, 'revoke-agents'], body)
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
      const body = known('vault.connect', connection, ['provider', 'user_id', 'secret'])
      return send<{ readonly id: string }>('POST', connections, body)
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
      const members = ['from_id', 'to_id', 'max_hops', 'scopes', 'expires_at']
      return send<MayActGrant>('POST', grants, known('mayAct.create', grant, members))
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

/** What a call sends, by its names on the wire. @throws AgentError for a member that the call does not have */
function known(call: string, given: object, names: readonly string[]): object {
  const members = wireMembers(call, given)
  requireKnown(call, members, Object.fromEntries(names.map((name) => [name, true])))
  return members
}

/** A dot segment would change which path is called. */
function encodeSegment(segment: string): string {
  if (segment === '' || segment === '.' || segment === '..') {
    throw new AgentError('configuration', 'an id must not be empty')
  }
  return encodeURIComponent(segment)
}
