import type { AuthorizationServerMetadata } from './authorization-server.ts'
import type { ClientAuthentication } from './client-authentication.ts'
import type { Clock } from './clock.ts'
import type { DPoPProver } from './dpop-prover.ts'
import type { Fetch } from './fetch.ts'
import type { Scopes } from './scope.ts'
import type { Token } from './token.ts'

/** Where the authorization server is: give `baseUrl` or `issuer`. */
export interface OAuthClientOptions {
  /** Endpoints come from the metadata found here if it names this URL as the issuer, else they are SharkAuth's paths. */
  readonly baseUrl?: string | URL
  /** As `baseUrl`, but the metadata must be there and name exactly this issuer. */
  readonly issuer?: string
  /** Metadata that was already fetched and checked. */
  readonly metadata?: AuthorizationServerMetadata
  /** For `revokeToken` and `introspectToken` without client credentials; sent to the server's own origin only. */
  readonly adminKey?: string
  readonly fetch?: Fetch
  /** Seconds since the epoch. */
  readonly clock?: Clock
}

/** What every token request may say. Fields not named here are sent as they are, as form parameters. */
export interface TokenRequest extends ClientAuthentication {
  readonly scope?: Scopes | undefined
  /** The same under the name it has at `Agent.start`. */
  readonly scopes?: Scopes | undefined
  /** RFC 8707: absolute URIs the token shall be for. */
  readonly resource?: string | readonly string[] | undefined
  readonly audience?: string | readonly string[] | undefined
  /** The key to bind the token to. */
  readonly prover?: DPoPProver | undefined
  /** The same under SharkAuth's name. */
  readonly dpopProver?: DPoPProver | undefined
  readonly [parameter: string]: Scopes | DPoPProver | Token | undefined
}

/** A token request for a bound token; `prover` is the key. */
export interface DpopTokenRequest extends TokenRequest {
  /** Default: `'client_credentials'`. */
  readonly grantType?: string
}

/** RFC 8693. */
export interface ExchangeRequest extends TokenRequest {
  readonly subjectToken: string | Token
  /** Default: an access token. */
  readonly subjectTokenType?: string
  readonly actorToken?: string | Token
  /** Default, with an actor token: an access token. */
  readonly actorTokenType?: string
  readonly requestedTokenType?: string
}

/** RFC 6749 §6. A public client needs the `prover` the token was bound to (RFC 9449 §5). */
export interface RefreshRequest extends TokenRequest {
  readonly refreshToken: string
}

/** RFC 6749 §4.1.3, RFC 7636 §4.5. */
export interface AuthorizationCodeRequest extends TokenRequest {
  readonly code: string
  readonly redirectUri: string
  readonly codeVerifier?: string
}

/** Without client credentials the admin key of the client is used. */
export interface TokenQuery extends Partial<ClientAuthentication> {
  readonly tokenTypeHint?: 'access_token' | 'refresh_token'
}

/** RFC 7662 §2.2. An inactive token has nothing but `active`. */
export interface Introspection {
  readonly active: boolean
  readonly [member: string]: unknown
}

/** RFC 6749 §4.1.1, with PKCE, resource indicators (RFC 8707) and DPoP (RFC 9449 §10). */
export interface AuthorizeUrlRequest {
  /** The server's base URL (SharkAuth's path is appended), or its authorization endpoint. */
  readonly baseUrl?: string | URL
  readonly authorizationEndpoint?: string | URL
  readonly clientId: string
  readonly redirectUri: string
  readonly state: string
  /** PKCE, S256 (RFC 7636): there is no other way. */
  readonly codeChallenge: string
  readonly scope?: Scopes
  readonly resource?: string | readonly string[]
  /** RFC 9449 §10: binds the code to this key. */
  readonly dpopJkt?: string
}
