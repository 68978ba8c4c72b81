import type { AuthorizationServerMetadata } from './authorization-server.ts'
import type { AuthMethod } from './client-authentication.ts'
import type { StoredClient } from './credentials-file.ts'
import { type ClientMetadata, DcrClient, type RegisteredClient } from './dcr-client.ts'
import { AgentError } from './errors.ts'
import type { Fetch } from './fetch.ts'

const METHODS: readonly AuthMethod[] = ['client_secret_basic', 'client_secret_post']

/** The way of sending the secret that both sides know, Basic preferred (RFC 8414: Basic when nothing is said). */
export function chooseAuthMethod(metadata: AuthorizationServerMetadata): AuthMethod {
  const supported = metadata.token_endpoint_auth_methods_supported ?? METHODS.slice(0, 1)
  const method = METHODS.find((name) => supported.includes(name))
  if (method !== undefined) return method
  throw new AgentError(
    'registration',
    `${metadata.issuer} takes no client secrets, the only credentials an agent has`,
  )
}

/** An agent's own registration at one issuer: a confidential client for `client_credentials` (RFC 7591). */
export class Registration {
  readonly #dcr: DcrClient
  readonly #wanted: ClientMetadata

  constructor(metadata: AuthorizationServerMetadata, wanted: ClientMetadata, fetchFn: Fetch) {
    if (metadata.registration_endpoint === undefined) {
      throw new AgentError('registration', `${metadata.issuer} registers nobody by itself; pass credentials`)
    }
    this.#dcr = new DcrClient({
      baseUrl: metadata.issuer,
      registrationEndpoint: metadata.registration_endpoint,
      fetch: fetchFn,
    })
    this.#wanted = {
      grant_types: ['client_credentials'],
      response_types: [],
      // MCP asks every client for it; without redirect URIs it restricts nothing.
      application_type: 'native',
      token_endpoint_auth_method: chooseAuthMethod(metadata),
      dpop_bound_access_tokens: true,
      ...wanted,
    }
  }

  async register(scopes: readonly string[]): Promise<StoredClient> {
    return this.#stored(await this.#dcr.register(this.#metadata(scopes)))
  }

  /** Registers for more scopes (RFC 7592 §2.2); undefined when the issuer gave no means to. */
  async widen(client: StoredClient, scopes: readonly string[]): Promise<StoredClient | undefined> {
    const {
      client_id,
      client_secret,
      registration_access_token: token,
      registration_client_uri: uri,
    } = client
    if (token === undefined || uri === undefined) return undefined
    const metadata = { ...this.#metadata(scopes), client_id, client_secret }
    return this.#stored(await this.#dcr.update(uri, token, metadata), client)
  }

  #metadata(scopes: readonly string[]): ClientMetadata {
    return scopes.length === 0 ? this.#wanted : { ...this.#wanted, scope: scopes.join(' ') }
  }

  /** An update's answer need not repeat what stays as it was; SharkAuth repeats it as empty text. */
  #stored(registered: RegisteredClient, previous?: StoredClient): StoredClient {
    const secret = registered.client_secret || previous?.client_secret
    const method = registered.token_endpoint_auth_method ?? this.#wanted.token_endpoint_auth_method
    const authMethod = METHODS.find((name) => name === method)
    if (secret === undefined || authMethod === undefined) {
      throw new AgentError(
        'registration',
        'the issuer registered a client without a secret; pass credentials instead',
      )
    }
    return {
      client_id: registered.client_id,
      client_secret: secret,
      token_endpoint_auth_method: authMethod,
      client_secret_expires_at: registered.client_secret_expires_at ?? previous?.client_secret_expires_at,
      registration_access_token: registered.registration_access_token || previous?.registration_access_token,
      registration_client_uri: registered.registration_client_uri || previous?.registration_client_uri,
    }
  }
}
