import { createHash, randomBytes } from 'node:crypto'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { DcrClient, DPoPHttpClient, DPoPProver, OAuthClient, type Token } from '@sharkguard/agent'

/**
 * What the MCP conformance suite drives: a client made of `@sharkguard/agent`'s parts, for flows that `Agent` does not
 * have (a person who logs in). Takes the server's URL as its last argument.
 */
const resource = process.argv.at(-1) as string
const context = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? '{}') as Record<string, string>

async function readJson<T>(url: URL): Promise<T> {
  return (await fetch(url)).json() as Promise<T>
}

/** RFC 9728 and RFC 8414: who issues tokens for the server, and where. */
async function discover() {
  const { pathname } = new URL(resource)
  const described = await readJson<{ authorization_servers: string[] }>(
    new URL(`/.well-known/oauth-protected-resource${pathname}`, resource),
  )
  const [issuer = ''] = described.authorization_servers
  const { pathname: path } = new URL(issuer)
  const metadata = await readJson<{ authorization_endpoint: string; registration_endpoint: string }>(
    new URL(`/.well-known/oauth-authorization-server${path.replace(/\/$/, '')}`, issuer),
  )
  return { issuer, ...metadata }
}

/** RFC 6749 §4.1 with PKCE, bound to the key from the code on (RFC 9449 §10). The person says yes at once. */
async function authorize(server: Awaited<ReturnType<typeof discover>>, prover: DPoPProver): Promise<Token> {
  const redirectUri = 'http://localhost:3000/callback'
  const registrar = new DcrClient({
    baseUrl: server.issuer,
    registrationEndpoint: server.registration_endpoint,
  })
  const { client_id: clientId, client_secret: clientSecret } = await registrar.register({
    client_name: 'sharkGuard conformance',
    application_type: 'native',
    redirect_uris: [redirectUri],
    grant_types: ['authorization_code'],
    response_types: ['code'],
  })
  const codeVerifier = randomBytes(32).toString('base64url')
  const state = randomBytes(16).toString('base64url')
  const url = OAuthClient.buildAuthorizeUrl({
    authorizationEndpoint: server.authorization_endpoint,
    clientId,
    redirectUri,
    state,
    codeChallenge: createHash('sha256').update(codeVerifier).digest('base64url'),
    resource,
    dpopJkt: prover.jkt,
  })
  const { headers } = await fetch(url, { redirect: 'manual' })
  const answer = new URL(headers.get('location') ?? '').searchParams
  if (answer.get('state') !== state) throw new Error('the answer is to another question')
  const oauth = new OAuthClient({ issuer: server.issuer })
  const code = answer.get('code') as string
  return oauth.getTokenAuthorizationCode({
    clientId,
    clientSecret,
    code,
    redirectUri,
    codeVerifier,
    resource,
    prover,
  })
}

/** Every request with the token and a proof of its own. */
function provenFetch(token: Token, prover: DPoPProver): typeof fetch {
  const server = new DPoPHttpClient(resource)
  return (async (_url: string | URL, { method = 'GET', headers = {}, body }: RequestInit = {}) => {
    if (method === 'POST') return server.post('', { token, prover, headers, json: JSON.parse(String(body)) })
    return server.get('', { token, prover, headers })
  }) as typeof fetch
}

/** An issuer that grants without binding to the key is refused: there is no unbound token to be had from the agent. */
async function refuseUnbound(issuer: string, prover: DPoPProver): Promise<void> {
  const { client_id: clientId = '', client_secret: clientSecret } = context
  const oauth = new OAuthClient({ issuer })
  const refusal = await oauth.getTokenWithDpop({ clientId, clientSecret, resource, prover }).catch(String)
  if (typeof refusal !== 'string' || !refusal.includes('not bound'))
    throw new Error(`expected a refusal: ${refusal}`)
}

const server = await discover()
const prover = await DPoPProver.generate()
if (context.client_id === undefined) {
  const call = provenFetch(await authorize(server, prover), prover)
  const client = new Client({ name: 'sharkguard', version: '0.1.0' })
  await client.connect(new StreamableHTTPClientTransport(new URL(resource), { fetch: call }))
  const { tools } = await client.listTools()
  if (tools[0] !== undefined) await client.callTool({ name: tools[0].name, arguments: {} })
  await client.close()
} else {
  await refuseUnbound(server.issuer, prover)
}
