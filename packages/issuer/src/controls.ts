import type { Hono } from 'hono'
import type { JWK } from 'jose'
import { addClient, findAgent } from './clients.ts'
import { requireKnownOptions } from './known-options.ts'
import type { Parts } from './parts.ts'
import type { Client } from './records.ts'
import { createClient } from './registration/create-client.ts'
import type { SigningAlgorithm } from './signing-keys.ts'
import { requireTargets } from './target.ts'

/**
 * What {@link Controls.mintToken} signs; nothing is checked, so that tests can have tokens no issuer would make. What has a
 * claim's name as well is the same under both.
 */
export interface MintOptions {
  /** Default `'test-client'`. */
  readonly clientId?: string
  readonly client_id?: string
  /** Default: the client. */
  readonly subject?: string
  readonly sub?: string
  /** Under any of its three names. One of them is needed, or a `defaultResource`. */
  readonly audience?: string | readonly string[]
  readonly resource?: string | readonly string[]
  readonly aud?: string | readonly string[]
  /** A list, or space-delimited; `scopes` is another name for it. */
  readonly scope?: string | readonly string[]
  readonly scopes?: string | readonly string[]
  /** Thumbprint of the key to bind the token to. Absent: a bearer token. */
  readonly jkt?: string
  readonly cnf?: { readonly jkt: string }
  /** Seconds from now; negative for a token that has expired. */
  readonly expiresIn?: number
  /** Which key signs it. Default: the first of the issuer's `algorithms`. */
  readonly algorithm?: SigningAlgorithm
  /** Set over the claims; `undefined` leaves one out. */
  readonly claims?: Readonly<Record<string, unknown>>
  /** Set over the protected header. */
  readonly header?: Readonly<Record<string, unknown>>
}

/**
 * What {@link Controls.registerAgent} registers; everything has a default. Any of it may also be written as the admin API
 * has it: `grant_types`, `created_by`.
 */
export interface AgentRegistration {
  readonly name?: string
  /** A list, or space-delimited; `scope` is another name for it. */
  readonly scopes?: string | readonly string[]
  readonly scope?: string | readonly string[]
  readonly createdBy?: string
  readonly grantTypes?: readonly string[]
  /** Default `'client_secret_basic'`. */
  readonly authMethod?: string
  readonly redirectUris?: readonly string[]
  /** No token without a proof; `dpop` is another name for it. Default false: its tokens are bound when it sends one. */
  readonly dpopBound?: boolean
  readonly dpop?: boolean
  /** Public keys, for `private_key_jwt`. */
  readonly jwks?: { readonly keys: readonly JWK[] }
  /** What it serves, if it is a resource server. */
  readonly resources?: readonly string[]
  readonly client_name?: string
  readonly created_by?: string
  readonly grant_types?: readonly string[]
  readonly token_endpoint_auth_method?: string
  readonly redirect_uris?: readonly string[]
  readonly dpop_bound_access_tokens?: boolean
}

const MINT_OPTIONS: Record<keyof MintOptions, true> = {
  clientId: true,
  client_id: true,
  subject: true,
  sub: true,
  audience: true,
  resource: true,
  aud: true,
  scope: true,
  scopes: true,
  jkt: true,
  cnf: true,
  expiresIn: true,
  algorithm: true,
  claims: true,
  header: true,
}

/** What the admin API calls them; it takes these names too. */
const AGENT_OPTIONS: Record<keyof AgentRegistration, string> = {
  name: 'name',
  client_name: 'name',
  scopes: 'scope',
  scope: 'scope',
  createdBy: 'created_by',
  created_by: 'created_by',
  grantTypes: 'grant_types',
  grant_types: 'grant_types',
  authMethod: 'token_endpoint_auth_method',
  token_endpoint_auth_method: 'token_endpoint_auth_method',
  redirectUris: 'redirect_uris',
  redirect_uris: 'redirect_uris',
  dpopBound: 'dpop_bound_access_tokens',
  dpop: 'dpop_bound_access_tokens',
  dpop_bound_access_tokens: 'dpop_bound_access_tokens',
  jwks: 'jwks',
  resources: 'resources',
}

function requireText(call: string, value: unknown, what: string): void {
  if (typeof value === 'string' && value !== '') return
  throw new TypeError(`issuer: ${call}: expected ${what}`)
}

/** What a test, or a program that the issuer is part of, does to it without going over HTTP. */
export interface Controls {
  /** Registers an agent as the admin API does. `clientSecret` is empty where its `authMethod` needs none. */
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
  /**
   * A new signing key; the old one is published for `overlap` more seconds. Default: as long as its tokens live; 0: the old
   * one was stolen, and what it signed is revoked.
   */
  rotateKeys(overlap?: number): Promise<{ kid: string }>
}

export function createControls({ settings, keys, revocation, tokens }: Parts, app: Hono): Controls {
  const { store, base, adminKey, tokenLifetime } = settings

  /** Calls the issuer's own API, as the admin. */
  async function call(method: string, path: string, body?: URLSearchParams | object): Promise<void> {
    const form = body instanceof URLSearchParams
    const headers = {
      authorization: `Bearer ${adminKey}`,
      'content-type': form ? 'application/x-www-form-urlencoded' : 'application/json',
    }
    const init = { method, headers, ...(body && { body: form ? body.toString() : JSON.stringify(body) }) }
    const response = await app.request(`${base}${path}`, init)
    if (!response.ok) throw new TypeError(`issuer: ${method} ${path}: ${await response.text()}`)
  }

  return {
    async registerAgent(agent = {}) {
      requireKnownOptions('registerAgent', agent, AGENT_OPTIONS)
      const input: Record<string, unknown> = { name: 'test agent' }
      for (const [name, value] of Object.entries(agent)) {
        if (value !== undefined) input[AGENT_OPTIONS[name as keyof AgentRegistration]] = value
      }
      const { client, clientSecret = '' } = await createClient(input, 'admin', settings)
      await addClient(store, client)
      return { clientId: client.id, clientSecret, agentId: client.agentId }
    },

    async mintToken(mint = {}) {
      requireKnownOptions('mintToken', mint, MINT_OPTIONS)
      const scope = mint.scope ?? mint.scopes ?? ''
      const clientId = mint.clientId ?? mint.client_id ?? 'test-client'
      const audience = mint.audience ?? mint.resource ?? mint.aud
      const { token } = await tokens.issue({
        clientId,
        subject: mint.subject ?? mint.sub ?? clientId,
        audience: audience ?? requireTargets(new Map(), settings),
        scope: typeof scope === 'string' ? scope : scope.join(' '),
        jkt: mint.jkt ?? mint.cnf?.jkt,
        lifetime: mint.expiresIn,
        algorithm: mint.algorithm,
        claims: mint.claims,
        header: mint.header,
      })
      return token
    },

    async revokeToken(token) {
      requireText('revokeToken', token, 'a token')
      await call('POST', '/oauth/revoke', new URLSearchParams({ token }))
    },

    async revokeAgent(id) {
      requireText('revokeAgent', id, 'a client id or an agent id')
      // A minted token may name a client that was never registered: its tokens can be revoked all the same.
      const client = (await findAgent(store, id)) ?? ({ id, agentId: id } as Client)
      await revocation.revokeClient(client, 'agent.tokens_revoked')
    },

    async rotateDpopKey(id, jwk) {
      requireText('rotateDpopKey', id, 'a client id or an agent id')
      await call('POST', `/api/v1/agents/${encodeURIComponent(id)}/rotate-dpop-key`, { new_public_jwk: jwk })
    },

    async revokeUser(userId) {
      requireText('revokeUser', userId, 'a user id')
      await call('POST', `/api/v1/users/${encodeURIComponent(userId)}/revoke-agents`, {})
    },

    async revokePattern(pattern) {
      requireText('revokePattern', pattern, 'a pattern of client ids')
      await call('POST', '/api/v1/admin/oauth/revoke-by-pattern', { client_id_pattern: pattern })
    },

    async disconnectVault(id) {
      requireText('disconnectVault', id, 'the id of a connection')
      await call('DELETE', `/api/v1/admin/vault/connections/${encodeURIComponent(id)}`)
    },

    async rotateKeys(overlap = tokenLifetime + 60) {
      if (!Number.isFinite(overlap) || overlap < 0)
        throw new TypeError('issuer: rotateKeys: expected seconds')
      const { kid, all } = await keys.rotate(overlap)
      if (overlap === 0) await revocation.withdrawKeys(all)
      return { kid }
    },
  }
}
