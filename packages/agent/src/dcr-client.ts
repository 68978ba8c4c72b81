import { AgentError, isRecord, parseOAuthError } from './errors.ts'
import { type Fetch, globalFetch } from './fetch.ts'
import { exchangeJson } from './json-exchange.ts'
import { requireKnown, wireMembers } from './known-options.ts'
import { parseHttpUrl } from './request-target.ts'

/** RFC 7591 §2. In camel case too (`clientName`); members not named here are sent as well. */
export interface ClientMetadata {
  readonly client_name?: string
  readonly redirect_uris?: readonly string[]
  readonly grant_types?: readonly string[]
  readonly response_types?: readonly string[]
  readonly token_endpoint_auth_method?: string
  readonly scope?: string
  readonly dpop_bound_access_tokens?: boolean
  readonly [member: string]: unknown
}

/** RFC 7591 §3.2.1: what was registered, and the credentials that go with it. */
export interface RegisteredClient extends ClientMetadata {
  readonly client_id: string
  readonly client_secret?: string
  readonly client_id_issued_at?: number
  /** Seconds since the epoch; 0 never. */
  readonly client_secret_expires_at?: number
  readonly registration_access_token?: string
  readonly registration_client_uri?: string
}

/** Where clients are registered. */
export interface DcrClientOptions {
  /** SharkAuth's path is appended. */
  readonly baseUrl: string | URL
  /** From the issuer's metadata, where it differs from SharkAuth's `/oauth/register`. */
  readonly registrationEndpoint?: string
  readonly fetch?: Fetch
}

const OPTIONS: Record<keyof DcrClientOptions, true> = {
  baseUrl: true,
  registrationEndpoint: true,
  fetch: true,
}

/**
 * Dynamic client registration (RFC 7591) and its management (RFC 7592), with SharkAuth's two rotations. A client is
 * named by its id, or by the `registration_client_uri` it was given. Errors are {@link OAuthError}s. Keeps nothing.
 */
export class DcrClient {
  readonly #endpoint: string
  readonly #fetch: Fetch

  constructor(options: DcrClientOptions | string | URL) {
    const given = typeof options === 'string' || options instanceof URL ? { baseUrl: options } : options
    requireKnown('DcrClient', given, OPTIONS)
    const { origin, pathname } = parseHttpUrl(given.baseUrl, 'baseUrl')
    this.#endpoint = given.registrationEndpoint ?? `${origin}${pathname.replace(/\/$/, '')}/oauth/register`
    this.#fetch = given.fetch ?? globalFetch
  }

  /** Registers a client; SharkAuth requires `client_name`. */
  async register(metadata: ClientMetadata): Promise<RegisteredClient> {
    const named = wireMembers('register', metadata)
    return this.#client(await this.#call('POST', this.#endpoint, undefined, named))
  }

  /** The registration as it is now; without the secret. */
  async get(client: string, registrationAccessToken: string): Promise<RegisteredClient> {
    return this.#client(await this.#call('GET', this.#uri(client), registrationAccessToken))
  }

  /** Replaces the whole registration: what is left out is gone (RFC 7592 §2.2). `metadata` must repeat `client_id`. */
  async update(
    client: string,
    registrationAccessToken: string,
    metadata: ClientMetadata & { readonly client_id?: string },
  ): Promise<RegisteredClient> {
    const members = wireMembers('update', metadata)
    const named = /^https?:/.test(client) ? members : { client_id: client, ...members }
    return this.#client(await this.#call('PUT', this.#uri(client), registrationAccessToken, named))
  }

  /** Ends the registration and its tokens. */
  async delete(client: string, registrationAccessToken: string): Promise<void> {
    await this.#call('DELETE', this.#uri(client), registrationAccessToken)
  }

  /** A new `client_secret`; SharkAuth accepts the old one for another hour. */
  async rotateSecret(client: string, registrationAccessToken: string): Promise<RegisteredClient> {
    return this.#client(await this.#call('POST', `${this.#uri(client)}/secret`, registrationAccessToken))
  }

  /** A new `registration_access_token`; the old one is dead at once. */
  async rotateRegistrationToken(client: string, registrationAccessToken: string): Promise<RegisteredClient> {
    const uri = `${this.#uri(client)}/registration-token`
    return this.#client(await this.#call('DELETE', uri, registrationAccessToken))
  }

  /** The registration access token goes to the registration endpoint's origin and nowhere else. */
  #uri(client: string): string {
    if (!/^https?:/.test(client)) return `${this.#endpoint}/${encodeURIComponent(client)}`
    if (parseHttpUrl(client, 'registration_client_uri').origin === new URL(this.#endpoint).origin)
      return client
    throw new AgentError(
      'configuration',
      'registration_client_uri must be at the origin of the registration endpoint',
    )
  }

  async #call(method: string, url: string, token: string | undefined, json?: unknown): Promise<unknown> {
    const headers = {
      accept: 'application/json',
      ...(json !== undefined && { 'content-type': 'application/json' }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    }
    const init = json === undefined ? { method, headers } : { method, headers, body: JSON.stringify(json) }
    const { status, body } = await exchangeJson(this.#fetch, url, init)
    if (status >= 200 && status < 300) return body
    const secret = isRecord(json) ? json.client_secret : undefined
    throw parseOAuthError(status, body, [token ?? '', typeof secret === 'string' ? secret : ''])
  }

  #client(body: unknown): RegisteredClient {
    if (isRecord(body) && typeof body.client_id === 'string') return body as { client_id: string }
    throw new AgentError('protocol', 'the registration endpoint answered without a client_id')
  }
}
