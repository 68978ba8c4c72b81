import { readToken } from './authorization-server.ts'
import { type Answer, type Exchange, listen, type TestServer } from './http.ts'
import { type Proof, verifyProof } from './proof.ts'

export interface FakeResource extends TestServer {
  /** The resource's identifier. */
  resource: string
  /** Requests that were let in. */
  admitted: (Exchange & { proof: Proof; token: string })[]
  /** What is wrong with each request that was not. */
  refused: string[]
  nonce: string | undefined
  /** Sent with every answer, success too. */
  nextNonce: string | undefined
  revoked: Set<string>
  /** By path. */
  needs: Record<string, string>
  /** Answers for admitted requests, by path; default: 200 with the body that came. */
  routes: Record<string, (exchange: Exchange) => Answer>
  metadata: Record<string, unknown> | undefined
  /** Parameters of the 401 without credentials. */
  challenge: string
}

/** A guarded API: RFC 9728 metadata, DPoP checked, `jti`s remembered. */
export async function startResource(issuer: string): Promise<FakeResource> {
  const jtis = new Set<string>()
  const server = await listen(async (exchange) => {
    const { pathname } = exchange.url
    if (pathname === '/.well-known/oauth-protected-resource/mcp') {
      return resource.metadata === undefined ? undefined : { json: resource.metadata }
    }
    const answer = await admit(exchange)
    if (resource.nextNonce === undefined) return answer
    return { ...answer, headers: { ...answer.headers, 'dpop-nonce': resource.nextNonce } }
  })

  async function admit(exchange: Exchange): Promise<Answer> {
    const authorization = exchange.headers.get('authorization')
    if (authorization === null) return challenge(401, resource.challenge)
    const token = authorization.replace(/^DPoP /, '')
    if (token === authorization || resource.revoked.has(token)) return refuse(401, 'invalid_token')
    const proof = await verifyProof(exchange, token)
    if (proof === undefined || proof.jkt !== readToken(token).cnf?.jkt)
      return refuse(401, 'invalid_dpop_proof')
    if (proof.nonce !== resource.nonce) return refuse(401, 'use_dpop_nonce')
    if (jtis.has(proof.jti)) return refuse(401, 'invalid_dpop_proof')
    jtis.add(proof.jti)
    const needed = resource.needs[exchange.url.pathname] ?? ''
    const granted = readToken(token).scope?.split(' ') ?? []
    if (!needed.split(' ').every((scope) => scope === '' || granted.includes(scope))) {
      return refuse(403, 'insufficient_scope', `, scope="${needed}"`)
    }
    resource.admitted.push({ ...exchange, proof, token })
    return resource.routes[exchange.url.pathname]?.(exchange) ?? { text: exchange.body }
  }

  function refuse(status: number, error: string, more = ''): Answer {
    resource.refused.push(error)
    return challenge(status, `error="${error}", algs="ES256 EdDSA"${more}`)
  }

  function challenge(status: number, params: string): Answer {
    const nonce = resource.nonce === undefined ? {} : { 'dpop-nonce': resource.nonce }
    return { status, headers: { 'www-authenticate': `Bearer, DPoP ${params}`, ...nonce }, text: 'refused' }
  }

  const identifier = `${server.url}/mcp`
  const resource: FakeResource = Object.assign(server, {
    resource: identifier,
    admitted: [],
    refused: [],
    nonce: undefined,
    nextNonce: undefined,
    revoked: new Set<string>(),
    needs: {},
    routes: {},
    metadata: { resource: identifier, authorization_servers: [issuer] } as
      | Record<string, unknown>
      | undefined,
    challenge: `algs="ES256 EdDSA", resource_metadata="${server.url}/.well-known/oauth-protected-resource/mcp"`,
  })
  return resource
}
