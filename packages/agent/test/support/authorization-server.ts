import { randomUUID } from 'node:crypto'
import { decodeJwt, SignJWT } from 'jose'
import { type Answer, type Exchange, listen, type TestServer } from './http.ts'
import { type Proof, verifyProof } from './proof.ts'

export interface FakeIssuer extends TestServer {
  /** Registered clients: id to metadata. */
  clients: Map<string, Record<string, unknown>>
  tokenRequests: { form: URLSearchParams; authorization: string | null; proof: Proof | undefined }[]
  /** When set, proofs must carry it. */
  nonce: string | undefined
  /** When set, answers every token request instead. */
  override: ((form: URLSearchParams) => Answer | undefined) | undefined
  metadata: Record<string, unknown>
  /** Seconds. */
  lifetime: number
  tokenType: string
}

const secret = new TextEncoder().encode('only the fake resource server reads this')

/** An authorization server of one page: metadata, DCR, client_credentials with DPoP. */
export async function startIssuer(): Promise<FakeIssuer> {
  const server = await listen(async (exchange) => {
    const { pathname } = exchange.url
    if (pathname === '/.well-known/oauth-authorization-server') return { json: issuer.metadata }
    if (pathname === '/register') return register(JSON.parse(exchange.body))
    if (pathname.startsWith('/register/')) return update(exchange)
    if (pathname === '/token') return answerToken(exchange)
    return undefined
  })

  function register(metadata: Record<string, unknown>): Answer {
    const client_id = `client ${randomUUID()}`
    const client = {
      token_endpoint_auth_method: 'client_secret_basic',
      client_secret_expires_at: 0,
      ...metadata,
      client_id,
      client_secret: `s:${randomUUID()}%`,
      registration_access_token: `rat-${randomUUID()}`,
      registration_client_uri: `${server.url}/register/${encodeURIComponent(client_id)}`,
    }
    issuer.clients.set(client_id, client)
    return { status: 201, json: client }
  }

  function update({ method, url, headers, body }: Exchange): Answer {
    const client = issuer.clients.get(decodeURIComponent(url.pathname.slice('/register/'.length)))
    const allowed = headers.get('authorization') === `Bearer ${client?.registration_access_token}`
    if (client === undefined || !allowed) return { status: 401, json: { error: 'invalid_token' } }
    if (method === 'PUT') Object.assign(client, JSON.parse(body))
    return { json: { ...client, client_secret: undefined, registration_access_token: '' } }
  }

  async function answerToken(exchange: Exchange): Promise<Answer> {
    const form = new URLSearchParams(exchange.body)
    const proof = await verifyProof(exchange)
    const authorization = exchange.headers.get('authorization')
    issuer.tokenRequests.push({ form, authorization, proof })
    const overridden = issuer.override?.(form)
    if (overridden !== undefined) return overridden
    const headers = issuer.nonce === undefined ? undefined : { 'dpop-nonce': issuer.nonce }
    const refuse = (status: number, error: string): Answer => ({
      status,
      json: { error },
      ...(headers && { headers }),
    })

    const client = authenticate(form, authorization)
    if (client === undefined) return refuse(401, 'invalid_client')
    if (proof === undefined) return refuse(400, 'invalid_dpop_proof')
    if (proof.nonce !== issuer.nonce) return refuse(400, 'use_dpop_nonce')
    const registered = String(client.scope ?? '').split(' ')
    const scope = form.get('scope') ?? ''
    if (scope !== '' && !scope.split(' ').every((name) => registered.includes(name)))
      return refuse(400, 'invalid_scope')
    const access_token = await mint({ aud: form.get('resource') ?? '', scope, cnf: { jkt: proof.jkt } })
    const json = { access_token, token_type: issuer.tokenType, expires_in: issuer.lifetime, scope }
    return { json, ...(headers && { headers }) }
  }

  function authenticate(form: URLSearchParams, authorization: string | null) {
    const basic = authorization?.startsWith('Basic ') ? atob(authorization.slice(6)) : undefined
    const [id, password] =
      basic === undefined
        ? [form.get('client_id') ?? '', form.get('client_secret')]
        : basic.split(':').map((part) => decodeURIComponent(part.replaceAll('+', ' ')))
    const client = issuer.clients.get(id ?? '')
    const method = basic === undefined ? 'client_secret_post' : 'client_secret_basic'
    return client?.client_secret === password && client?.token_endpoint_auth_method === method
      ? client
      : undefined
  }

  const issuer: FakeIssuer = Object.assign(server, {
    clients: new Map<string, Record<string, unknown>>(),
    tokenRequests: [],
    nonce: undefined,
    override: undefined,
    lifetime: 300,
    tokenType: 'DPoP',
    metadata: {
      issuer: server.url,
      token_endpoint: `${server.url}/token`,
      registration_endpoint: `${server.url}/register`,
    },
  })
  return issuer
}

export async function mint(claims: Record<string, unknown>): Promise<string> {
  return new SignJWT({ jti: randomUUID(), ...claims }).setProtectedHeader({ alg: 'HS256' }).sign(secret)
}

export const readToken = (token: string): { aud?: unknown; scope?: string; cnf?: { jkt?: string } } =>
  decodeJwt(token)
