import { type AuthorizationServerMetadata, discoverAuthorizationServer } from './authorization-server.ts'
import { authenticate } from './client-authentication.ts'
import { type Clock, createClock } from './clock.ts'
import { DPoPNonces } from './dpop-nonces.ts'
import { AgentError, isRecord, parseOAuthError } from './errors.ts'
import { type Fetch, globalFetch } from './fetch.ts'
import { exchangeJson, type JsonAnswer } from './json-exchange.ts'
import { requireKnown } from './known-options.ts'
import type {
  AuthorizationCodeRequest,
  AuthorizeUrlRequest,
  DpopTokenRequest,
  ExchangeRequest,
  Introspection,
  OAuthClientOptions,
  RefreshRequest,
  TokenQuery,
  TokenRequest,
} from './oauth-requests.ts'
import { parseHttpUrl } from './request-target.ts'
import { parseScopes, type Scopes } from './scope.ts'
import type { Token } from './token.ts'
import { createForm, type FormFields, requestToken, secretsOf } from './token-endpoint.ts'

type Endpoint = keyof AuthorizationServerMetadata & `${string}_endpoint`

const OPTIONS: Record<keyof OAuthClientOptions, true> = {
  baseUrl: true,
  issuer: true,
  metadata: true,
  adminKey: true,
  fetch: true,
  clock: true,
}

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'

/**
 * The token endpoint of an authorization server and its neighbours, one call per grant. Keeps nothing but metadata and
 * nonces: `Agent` keeps and renews tokens.
 */
export class OAuthClient {
  readonly #base: URL
  readonly #issuer: string | undefined
  readonly #adminKey: string | undefined
  readonly #fetch: Fetch
  readonly #clock: Clock
  readonly #nonces = new DPoPNonces()
  #metadata: AuthorizationServerMetadata | undefined
  #withoutMetadata = false

  constructor(options: OAuthClientOptions | string | URL) {
    const given: OAuthClientOptions =
      typeof options === 'string' || options instanceof URL ? { baseUrl: options } : options
    requireKnown('OAuthClient', given, OPTIONS)
    this.#base = parseHttpUrl(
      given.issuer ?? given.metadata?.issuer ?? given.baseUrl ?? '',
      'baseUrl or issuer',
    )
    this.#issuer = given.issuer
    this.#metadata = given.metadata
    this.#adminKey = given.adminKey
    this.#fetch = given.fetch ?? globalFetch
    this.#clock = createClock(given.clock)
  }

  /** A token bound to `prover`'s key. Throws when the issuer's answer is not bound to it. */
  async getTokenWithDpop(request: DpopTokenRequest): Promise<Token> {
    requireRequest('getTokenWithDpop', request, '{ prover, clientId, … }')
    if ((request.prover ?? request.dpopProver) === undefined) {
      throw new AgentError('configuration', 'prover must be a DPoPProver: await DPoPProver.generate()')
    }
    const { grantType = 'client_credentials', ...rest } = request
    return this.#token(grantType, {}, rest)
  }

  /** RFC 8693: a token for another audience, or on behalf of the subject token's owner. */
  async exchangeToken(request: ExchangeRequest): Promise<Token> {
    requireRequest('exchangeToken', request, '{ subjectToken, clientId, … }')
    const { subjectToken, subjectTokenType, actorToken, actorTokenType, requestedTokenType, ...rest } =
      request
    const fields = {
      subject_token: textOf(subjectToken),
      subject_token_type: subjectTokenType ?? ACCESS_TOKEN,
      actor_token: textOf(actorToken),
      actor_token_type: actorToken === undefined ? undefined : (actorTokenType ?? ACCESS_TOKEN),
      requested_token_type: requestedTokenType,
    }
    return this.#token('urn:ietf:params:oauth:grant-type:token-exchange', fields, rest)
  }

  /** RFC 6749 §6. Keep the answer's `refreshToken` when there is one: the old one is spent. */
  async refreshToken(request: RefreshRequest): Promise<Token> {
    requireRequest('refreshToken', request, '{ refreshToken, clientId, … }')
    const { refreshToken, ...rest } = request
    return this.#token('refresh_token', { refresh_token: refreshToken }, rest)
  }

  /** RFC 6749 §4.1.3 with PKCE. */
  async getTokenAuthorizationCode(request: AuthorizationCodeRequest): Promise<Token> {
    requireRequest('getTokenAuthorizationCode', request, '{ code, redirectUri, codeVerifier, clientId, … }')
    const { code, redirectUri, codeVerifier, ...rest } = request
    const fields = { code, redirect_uri: redirectUri, code_verifier: codeVerifier }
    return this.#token('authorization_code', fields, rest)
  }

  /** RFC 7009. Resolves also for tokens the server does not know. A string is the hint, as in SharkAuth's SDK. */
  async revokeToken(
    token: string | Token,
    query: TokenQuery | TokenQuery['tokenTypeHint'] = {},
  ): Promise<void> {
    await this.#ask('revocation_endpoint', '/oauth/revoke', token, query)
  }

  /** RFC 7662. */
  async introspectToken(
    token: string | Token,
    query: TokenQuery | TokenQuery['tokenTypeHint'] = {},
  ): Promise<Introspection> {
    const { body } = await this.#ask('introspection_endpoint', '/oauth/introspect', token, query)
    if (!isRecord(body) || typeof body.active !== 'boolean') {
      throw new AgentError('protocol', 'the introspection endpoint answered without "active"')
    }
    return body as { active: boolean }
  }

  /** Where to send a person's browser (RFC 6749 §4.1.1, PKCE, RFC 8707). */
  static buildAuthorizeUrl(request: AuthorizeUrlRequest): string {
    const { baseUrl, authorizationEndpoint } = request
    const url = authorizationEndpoint
      ? parseHttpUrl(authorizationEndpoint, 'authorizationEndpoint')
      : new URL(below(parseHttpUrl(baseUrl ?? '', 'baseUrl'), '/oauth/authorize'))
    const form = createForm({
      response_type: 'code',
      client_id: request.clientId,
      redirect_uri: request.redirectUri,
      state: request.state,
      code_challenge: request.codeChallenge,
      code_challenge_method: 'S256',
      scope: joinScopes(request.scope),
      resource: request.resource,
      dpop_jkt: request.dpopJkt,
    })
    for (const [name, value] of form) url.searchParams.append(name, value)
    return url.href
  }

  async #token(grantType: string, fields: FormFields, request: TokenRequest): Promise<Token> {
    const { clientId, clientSecret, authMethod, prover, dpopProver, scope, scopes, ...rest } = request
    const endpoint = await this.#endpoint('token_endpoint', '/oauth/token')
    return requestToken(
      { endpoint, fetch: this.#fetch, clock: this.#clock, nonces: this.#nonces },
      { ...(rest as FormFields), ...fields, grant_type: grantType, scope: joinScopes(scope ?? scopes) },
      { clientId, clientSecret, authMethod },
      prover ?? dpopProver,
    )
  }

  async #ask(
    name: 'revocation_endpoint' | 'introspection_endpoint',
    path: string,
    token: string | Token,
    query: TokenQuery | TokenQuery['tokenTypeHint'],
  ): Promise<JsonAnswer> {
    const { tokenTypeHint, clientId, ...client }: TokenQuery =
      typeof query === 'string' ? { tokenTypeHint: query } : (query ?? {})
    const endpoint = await this.#endpoint(name, path)
    const form = createForm({
      token: textOf(token),
      token_type_hint: tokenTypeHint,
    })
    const headers = new Headers({ accept: 'application/json' })
    if (clientId !== undefined) authenticate({ clientId, ...client }, form, headers)
    else headers.set('authorization', `Bearer ${this.#adminKeyFor(endpoint)}`)
    const answer = await exchangeJson(this.#fetch, endpoint, { method: 'POST', headers, body: form })
    if (answer.status === 200) return answer
    throw parseOAuthError(answer.status, answer.body, [...secretsOf(form, client), this.#adminKey ?? ''])
  }

  #adminKeyFor(endpoint: string): string {
    if (this.#adminKey === undefined) {
      throw new AgentError(
        'configuration',
        'give clientId and clientSecret, or an adminKey to the OAuthClient',
      )
    }
    if (new URL(endpoint).origin !== this.#base.origin) {
      throw new AgentError(
        'configuration',
        `${endpoint} is at another origin: the adminKey is not sent there`,
      )
    }
    return this.#adminKey
  }

  async #endpoint(name: Endpoint, path: string): Promise<string> {
    this.#metadata ??= await this.#discover()
    return this.#metadata?.[name] ?? below(this.#base, path)
  }

  async #discover(): Promise<AuthorizationServerMetadata | undefined> {
    if (this.#issuer !== undefined) return discoverAuthorizationServer(this.#fetch, this.#issuer)
    if (this.#withoutMetadata) return undefined
    try {
      return await discoverAuthorizationServer(this.#fetch, below(this.#base, ''), [below(this.#base, '/')])
    } catch (error) {
      // Metadata that is not there, or that names another issuer, tells nothing about this server.
      this.#withoutMetadata = error instanceof AgentError && error.code === 'discovery'
      return undefined
    }
  }
}

function below(base: URL, path: string): string {
  return base.origin + base.pathname.replace(/\/$/, '') + path
}

function joinScopes(scope: Scopes | undefined): string | undefined {
  return parseScopes(scope).join(' ') || undefined
}

function textOf<T extends string | undefined>(token: T | Token): T | string {
  return typeof token === 'object' ? token.accessToken : token
}

function requireRequest(call: string, request: unknown, shape: string): void {
  if (!isRecord(request)) throw new AgentError('configuration', `${call} takes ${shape}`)
}
