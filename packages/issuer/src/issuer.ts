import { type Context, Hono } from 'hono'
import { cors } from 'hono/cors'
import type { JWK } from 'jose'
import { createAccessTokens, requireTarget } from './access-token.ts'
import { createAdminApi } from './admin.ts'
import { addClient, createClient, findAgent } from './clients.ts'
import { OAuthError } from './errors.ts'
import { createTokenState } from './introspection.ts'
import { describeIssuer } from './metadata.ts'
import { createNonces } from './nonces.ts'
import { type IssuerOptions, resolveOptions } from './options.ts'
import { isEqualInConstantTime, randomSecret } from './random.ts'
import type { Client } from './records.ts'
import { mountRegistration } from './registration.ts'
import { createRevocationList } from './revocation/list.ts'
import { createRevocation } from './revocation/revocation.ts'
import { SigningKeys } from './signing-keys.ts'
import { mountStatusLists, statusListUri } from './status-list/endpoint.ts'
import { StatusLists } from './status-list/status-lists.ts'
import { createTokenEndpoint } from './token-endpoint.ts'
import { createVault } from './vault.ts'

/** What can be made to fail, for tests of what depends on it. */
export type Failing = 'metadata' | 'jwks' | 'token' | 'revocation'

/** How it fails: an error status, or an answer that never comes. */
export type FailureMode = 'error' | 'hang'

export interface MintOptions {
  /** Default `'test-client'`. */
  readonly clientId?: string
  /** `sub`. Default: the client. */
  readonly subject?: string
  /** `aud`; `resource` is another name for it. One of them is needed, or a `defaultResource`. */
  readonly audience?: string | readonly string[]
  readonly resource?: string | readonly string[]
  /** Space-delimited; `scopes` is the same as a list. */
  readonly scope?: string
  readonly scopes?: readonly string[]
  /** Thumbprint of the key to bind the token to. Absent: a bearer token. */
  readonly jkt?: string
  /** Seconds from now; negative for a token that has expired. */
  readonly expiresIn?: number
  /** Set over the claims; `undefined` leaves one out. */
  readonly claims?: Readonly<Record<string, unknown>>
  /** Set over the protected header. */
  readonly header?: Readonly<Record<string, unknown>>
}

export interface AgentRegistration {
  readonly name?: string
  readonly scopes?: readonly string[]
  readonly createdBy?: string
  readonly grantTypes?: readonly string[]
  readonly dpopBound?: boolean
}

/** An authorization server to test guards and agents against, as a web-standard handler. */
export interface Issuer {
  readonly issuer: string
  /** Bearer token of the admin API. */
  readonly adminKey: string
  readonly fetch: (request: Request) => Promise<Response>

  /** Registers an agent as the admin API does. */
  registerAgent(
    agent?: AgentRegistration,
  ): Promise<{ clientId: string; clientSecret: string; agentId: string }>
  /** Signs any access token with the issuer's current key, valid or not. For tests. */
  mintToken(options?: MintOptions): Promise<string>

  /** L1. */
  revokeToken(token: string): Promise<void>
  /** L2, by client id or agent id. */
  revokeAgent(id: string): Promise<void>
  /** Rotates an agent's key: the old one is dead for good. */
  rotateDpopKey(id: string, newPublicJwk: JWK): Promise<void>
  /** L3. */
  revokeUser(userId: string): Promise<void>
  /** L4, SQLite GLOB over client ids. */
  revokePattern(pattern: string): Promise<void>
  /** L5. */
  disconnectVault(connectionId: string): Promise<void>
  /** A new signing key; the old one is published for `overlap` more seconds. Default: as long as its tokens live. */
  rotateKeys(overlap?: number): Promise<{ kid: string }>

  /** Makes an endpoint fail until the returned function is called. */
  fail(what: Failing, mode?: FailureMode): () => void
  /** How many requests have come for a path. */
  requests(path: string): number
}

/** Creates an issuer. @throws TypeError for a wrong option, naming it */
export function createIssuer(options: IssuerOptions = {}): Issuer {
  const settings = resolveOptions(options, `sk_live_${randomSecret()}`)
  const { store, clock, issuer, adminKey } = settings
  const keys = new SigningKeys()
  const statusLists = settings.statusList && new StatusLists(settings, settings.statusList.size)
  const revocation = createRevocation(settings, statusLists)
  const issue = createAccessTokens(settings, keys, revocation, statusLists)
  const revocationList = createRevocationList(settings, keys, revocation.followers)
  const failing = new Map<Failing, FailureMode>()
  const counted = new Map<string, number>()

  const isAdmin = (c: Context) => {
    const key = /^bearer +(\S+)$/i.exec(c.req.header('authorization') ?? '')?.[1]
    return key !== undefined && isEqualInConstantTime(key, adminKey)
  }
  const state = createTokenState(settings, revocation, isAdmin)
  const metadata = {
    ...describeIssuer(issuer),
    ...(statusLists === undefined ? {} : { status_list_aggregation_endpoint: statusListUri(issuer) }),
  }
  const basePath = new URL(issuer).pathname.replace(/\/$/, '')

  const routes = new Hono()
  routes.get('/.well-known/jwks.json', async () => {
    const body = JSON.stringify(await keys.published(clock()))
    return new Response(body, {
      headers: {
        'Content-Type': 'application/json',
        'Cache-Control': 'public, max-age=300',
        ETag: await etag(body),
      },
    })
  })
  routes.post(
    '/oauth/token',
    createTokenEndpoint(settings, issue, settings.nonce ? createNonces(adminKey) : undefined),
  )
  routes.post('/oauth/introspect', state.introspect)
  routes.post('/oauth/revoke', state.revoke)
  routes.get('/oauth/revocations', (c) => revocationList(new URL(c.req.url).searchParams, c.req.raw.signal))
  if (statusLists !== undefined) mountStatusLists(routes, settings, keys, statusLists)
  routes.get('/api/v1/vault/:provider/token', createVault(settings, keys, revocation))
  mountRegistration(routes, settings, revocation)
  routes.route('/api/v1', createAdminApi(settings, keys, revocation, isAdmin))
  routes.get('/healthz', (c) => c.json({ status: 'ok' }))

  const app = new Hono()
  const exposed = ['WWW-Authenticate', 'DPoP-Nonce']
  app.use(
    cors({
      origin: '*',
      allowHeaders: ['Authorization', 'Content-Type', 'DPoP', 'MCP-Protocol-Version'],
      exposeHeaders: exposed,
    }),
  )
  app.get(`/.well-known/oauth-authorization-server${basePath}`, (c) =>
    c.json(metadata, 200, { 'Cache-Control': 'public, max-age=3600' }),
  )
  app.route(basePath === '' ? '/' : basePath, routes)
  app.notFound((c) => c.json({ error: 'not_found', error_description: 'There is nothing here' }, 404))
  app.onError((error, c) => {
    if (error instanceof OAuthError) {
      const body = { error: error.error, error_description: error.message }
      return c.json(body, error.status, { 'Cache-Control': 'no-store', ...error.headers })
    }
    settings.log({ level: 'error', message: 'unexpected', error: String(error) })
    return c.json({ error: 'server_error', error_description: 'The request could not be processed' }, 500)
  })

  async function findClient(id: string): Promise<Client> {
    const client = await findAgent(store, id)
    if (client === undefined) throw new TypeError(`issuer: no client ${id}`)
    return client
  }

  /** The admin API, called from inside. */
  async function admin(method: string, path: string, body?: unknown): Promise<void> {
    const headers = { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' }
    const init = body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) }
    const response = await routes.request(`/api/v1${path}`, init)
    if (!response.ok) throw new TypeError(`issuer: ${method} ${path}: ${await response.text()}`)
  }

  return {
    issuer,
    adminKey,

    async fetch(request) {
      const { pathname } = new URL(request.url)
      counted.set(pathname, (counted.get(pathname) ?? 0) + 1)
      const mode = failing.get(kindOf(pathname) as Failing)
      if (mode === 'hang') return new Promise<Response>(() => undefined)
      if (mode === 'error') return Response.json({ error: 'temporarily_unavailable' }, { status: 503 })
      return app.fetch(request)
    },

    async registerAgent(agent = {}) {
      const input = {
        name: agent.name ?? 'test agent',
        scopes: agent.scopes ?? [],
        grant_types: agent.grantTypes ?? ['client_credentials'],
        created_by: agent.createdBy,
        dpop_bound_access_tokens: agent.dpopBound ?? false,
      }
      const { client, clientSecret } = await createClient(input, 'shark_agent_', clock())
      await addClient(store, client)
      return { clientId: client.id, clientSecret: clientSecret as string, agentId: client.agentId }
    },

    async mintToken(mint = {}) {
      const clientId = mint.clientId ?? 'test-client'
      const { token } = await issue({
        clientId,
        subject: mint.subject ?? clientId,
        audience: mint.audience ?? mint.resource ?? requireTarget(new Map(), settings),
        scope: mint.scope ?? mint.scopes?.join(' ') ?? '',
        jkt: mint.jkt,
        lifetime: mint.expiresIn,
        claims: mint.claims,
        header: mint.header,
      })
      return token
    },

    async revokeToken(token) {
      const headers = {
        authorization: `Bearer ${adminKey}`,
        'content-type': 'application/x-www-form-urlencoded',
      }
      await routes.request('/oauth/revoke', {
        method: 'POST',
        headers,
        body: new URLSearchParams({ token }).toString(),
      })
    },
    async revokeAgent(id) {
      const client = await store.get('client', id)
      if (client !== undefined) return admin('POST', `/agents/${client.id}/tokens/revoke-all`)
      await revocation.revokeClient({ ...(await findClientOrAny(id)) }, 'agent.tokens_revoked')
    },
    rotateDpopKey: (id, jwk) => admin('POST', `/agents/${id}/rotate-dpop-key`, { new_public_jwk: jwk }),
    revokeUser: (userId) => admin('POST', `/users/${encodeURIComponent(userId)}/revoke-agents`, {}),
    revokePattern: (pattern) =>
      admin('POST', '/admin/oauth/revoke-by-pattern', { client_id_pattern: pattern }),
    disconnectVault: (id) => admin('DELETE', `/admin/vault/connections/${id}`),
    rotateKeys: (overlap = settings.tokenLifetime + 60) => keys.rotate(clock(), overlap),

    fail(what, mode = 'error') {
      failing.set(what, mode)
      return () => void failing.delete(what)
    },
    requests: (path) => counted.get(path) ?? 0,
  }

  /** A minted token may name a client that was never registered; its tokens can be revoked all the same. */
  async function findClientOrAny(id: string): Promise<Client> {
    try {
      return await findClient(id)
    } catch {
      const { client } = await createClient({ name: id }, 'shark_agent_', clock())
      return { ...client, id, agentId: id }
    }
  }
}

function kindOf(pathname: string): Failing | undefined {
  if (pathname.includes('/.well-known/oauth-authorization-server')) return 'metadata'
  if (pathname.endsWith('/.well-known/jwks.json')) return 'jwks'
  if (pathname.endsWith('/oauth/token')) return 'token'
  return pathname.endsWith('/oauth/revocations') ? 'revocation' : undefined
}

async function etag(body: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(body)))
  return `"${[...digest.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, '0')).join('')}"`
}
