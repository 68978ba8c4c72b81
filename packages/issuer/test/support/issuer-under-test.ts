import { createHash, randomUUID } from 'node:crypto'
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose'
import { type RunningIssuer, type StartOptions, startIssuer } from '../../src/index.ts'
import { authorizeUrl, Browser, RESOURCE, register, VERIFIER } from './browser.ts'

export type Fields = Record<string, string | readonly string[] | undefined>
// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
export type Json = Record<string, any>

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Json
}

export interface Agent {
  readonly clientId: string
  readonly clientSecret: string
  readonly agentId: string
}

export const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
export const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'
export const OTHER_RESOURCE = 'https://other.example/mcp'

/** An issuer whose clock only the test moves, and requests to it over HTTP. */
export class IssuerUnderTest {
  now = 1_700_000_000
  issuer!: RunningIssuer

  async start(options: StartOptions = {}): Promise<this> {
    this.issuer = await startIssuer({ clock: () => this.now, autoApprove: true, ...options })
    return this
  }

  /** Where it listens, whatever its name. */
  get url(): string {
    return `http://127.0.0.1:${this.issuer.port}`
  }

  async request(path: string, init: RequestInit = {}): Promise<Answer> {
    const response = await fetch(`${this.url}${path}`, { redirect: 'manual', ...init })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.includes('json')
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : { text } }
  }

  post(path: string, fields: Fields, headers: Record<string, string> = {}): Promise<Answer> {
    const form = new URLSearchParams()
    for (const [name, value] of Object.entries(fields)) {
      for (const item of value === undefined ? [] : [value].flat()) form.append(name, item)
    }
    return this.request(path, { method: 'POST', body: form, headers })
  }

  admin(method: string, path: string, body?: unknown): Promise<Answer> {
    const headers = { authorization: `Bearer ${this.issuer.adminKey}`, 'content-type': 'application/json' }
    return this.request(`/api/v1${path}`, {
      method,
      headers,
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
  }

  /** A token request by an agent, with its secret in the body, and a proof if there is a key. */
  async token(agent: Partial<Agent>, fields: Fields, key?: Key): Promise<Answer> {
    const credentials = { client_id: agent.clientId, client_secret: agent.clientSecret }
    const headers = key === undefined ? {} : { dpop: await key.proof(`${this.url}/oauth/token`, this.now) }
    return this.post('/oauth/token', { ...credentials, ...fields }, headers)
  }

  /** A `client_credentials` token of an agent. */
  async accessToken(agent: Agent, fields: Fields = {}, key?: Key): Promise<string> {
    const request = { grant_type: 'client_credentials', resource: RESOURCE, ...fields }
    const { status, body } = await this.token(agent, request, key)
    if (status !== 200) throw new Error(JSON.stringify(body))
    return body.access_token
  }

  introspect(token: string): Promise<Answer> {
    return this.post('/oauth/introspect', { token }, { authorization: `Bearer ${this.issuer.adminKey}` })
  }

  async isActive(token: string): Promise<boolean> {
    return (await this.introspect(token)).body.active
  }

  /** Registers a public client, as MCP clients are. */
  async publicClient(metadata: Json = {}): Promise<Agent> {
    const grant_types = ['authorization_code', 'refresh_token']
    const client = await register(this, { grant_types, ...metadata })
    return { clientId: client.client_id, clientSecret: '', agentId: '' }
  }

  /** A code, by a user who approves everything. */
  async code(clientId: string, parameters: Json = {}): Promise<string> {
    const { parameters: answer } = await new Browser().open(authorizeUrl(this, clientId, parameters))
    if (answer.code === undefined) throw new Error(JSON.stringify(answer))
    return answer.code
  }

  /** Tokens, from a code of one's own. */
  async login(client: Agent, parameters: Json = {}, key?: Key): Promise<Json> {
    const fields = redemption(await this.code(client.clientId, parameters))
    const { status, body } = await this.token(publicly(client), fields, key)
    if (status !== 200) throw new Error(JSON.stringify(body))
    return body
  }

  refresh(client: Agent, token: string, fields: Fields = {}, key?: Key): Promise<Answer> {
    const request = { grant_type: 'refresh_token', refresh_token: token, ...fields }
    return this.token(publicly(client), request, key)
  }
}

/** Empty secrets are not sent. */
const publicly = (client: Agent): Partial<Agent> =>
  client.clientSecret === '' ? { clientId: client.clientId } : client

/** What redeems a code, all of it right. */
export const redemption = (code: string): Fields => ({
  grant_type: 'authorization_code',
  code,
  redirect_uri: 'https://client.example/callback',
  code_verifier: VERIFIER,
})

/** A client's key pair. */
export class Key {
  readonly jkt: string
  readonly jwk: JWK
  readonly #sign: (jwt: SignJWT) => Promise<string>

  private constructor(jkt: string, jwk: JWK, sign: (jwt: SignJWT) => Promise<string>) {
    this.jkt = jkt
    this.jwk = jwk
    this.#sign = sign
  }

  static async generate(): Promise<Key> {
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
    const jwk = await exportJWK(publicKey)
    return new Key(await calculateJwkThumbprint(jwk), jwk, (jwt) => jwt.sign(privateKey))
  }

  proof(htu: string, iat: number, changes: { claims?: JWTPayload; header?: Json } = {}): Promise<string> {
    const claims = { htm: 'POST', htu, iat: Math.floor(iat), jti: randomUUID(), ...changes.claims }
    return this.sign(claims, { typ: 'dpop+jwt', jwk: this.jwk, ...changes.header })
  }

  sign(claims: JWTPayload, header: Json = {}): Promise<string> {
    return this.#sign(new SignJWT(claims).setProtectedHeader({ alg: 'ES256', ...header }))
  }
}

export const sha256 = (text: string) => createHash('sha256').update(text).digest('base64url')
