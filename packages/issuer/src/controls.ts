import type { Hono } from 'hono'
import type { JWK } from 'jose'
import { addClient, findAgent } from './clients.ts'
import type { Parts } from './parts.ts'
import type { Client } from './records.ts'
import { createClient } from './registration/create-client.ts'
import type { SigningAlgorithm } from './signing-keys.ts'
import { requireTargets } from './target.ts'

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
  /** Which key signs it. Default: the first of the issuer's `algorithms`. */
  readonly algorithm?: SigningAlgorithm
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
  /** Default `'client_secret_basic'`. */
  readonly authMethod?: string
  readonly redirectUris?: readonly string[]
  readonly dpopBound?: boolean
  /** Public keys, for `private_key_jwt`. */
  readonly jwks?: { readonly keys: readonly JWK[] }
  /** What it serves, if it is a resource server. */
  readonly resources?: readonly string[]
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
  const { store, clock, base, adminKey, tokenLifetime } = settings

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
      const input = {
        name: agent.name ?? 'test agent',
        scopes: agent.scopes,
        grant_types: agent.grantTypes,
        token_endpoint_auth_method: agent.authMethod,
        redirect_uris: agent.redirectUris,
        created_by: agent.createdBy,
        dpop_bound_access_tokens: agent.dpopBound ?? false,
        jwks: agent.jwks,
        resources: agent.resources,
      }
      const { client, clientSecret = '' } = await createClient(input, 'admin', clock())
      await addClient(store, client)
      return { clientId: client.id, clientSecret, agentId: client.agentId }
    },

    async mintToken(mint = {}) {
      const clientId = mint.clientId ?? 'test-client'
      const { token } = await tokens.issue({
        clientId,
        subject: mint.subject ?? clientId,
        audience: mint.audience ?? mint.resource ?? requireTargets(new Map(), settings),
        scope: mint.scope ?? mint.scopes?.join(' ') ?? '',
        jkt: mint.jkt,
        lifetime: mint.expiresIn,
        algorithm: mint.algorithm,
        claims: mint.claims,
        header: mint.header,
      })
      return token
    },

    revokeToken: (token) => call('POST', '/oauth/revoke', new URLSearchParams({ token })),

    async revokeAgent(id) {
      // A minted token may name a client that was never registered: its tokens can be revoked all the same.
      const client = (await findAgent(store, id)) ?? ({ id, agentId: id } as Client)
      await revocation.revokeClient(client, 'agent.tokens_revoked')
    },

    rotateDpopKey: (id, jwk) =>
      call('POST', `/api/v1/agents/${encodeURIComponent(id)}/rotate-dpop-key`, { new_public_jwk: jwk }),
    revokeUser: (userId) => call('POST', `/api/v1/users/${encodeURIComponent(userId)}/revoke-agents`, {}),
    revokePattern: (pattern) =>
      call('POST', '/api/v1/admin/oauth/revoke-by-pattern', { client_id_pattern: pattern }),
    disconnectVault: (id) => call('DELETE', `/api/v1/admin/vault/connections/${encodeURIComponent(id)}`),
    async rotateKeys(overlap = tokenLifetime + 60) {
      const { kid, all } = await keys.rotate(overlap)
      if (overlap === 0) await revocation.withdrawKeys(all)
      return { kid }
    },
  }
}
