import { type AdminClient, DPoPProver, OAuthClient } from '@sharkguard/agent'

/** Milliseconds. */
const GIVE_UP = 10_000

export interface Scene {
  readonly issuer: string
  readonly admin: AdminClient
  readonly resources: readonly string[]
}

export interface Caller {
  readonly clientId: string
  readonly clientSecret: string
  readonly agentId: string
  /** The user it belongs to. */
  readonly owner: string
  readonly prover: DPoPProver
  readonly token: string
}

export async function createCaller({ issuer, admin, resources }: Scene): Promise<Caller> {
  const owner = `usr_${crypto.randomUUID()}`
  const metadata = { name: 'bench', grant_types: ['client_credentials'], created_by: owner }
  const agent = await admin.agents.register(metadata)
  const { client_id: clientId, client_secret: clientSecret, id: agentId } = agent
  const prover = await DPoPProver.generate()
  const oauth = new OAuthClient({ baseUrl: issuer })
  const request = { clientId, clientSecret, prover, resource: resources, scope: 'vault:read' }
  const { accessToken } = await oauth.getTokenWithDpop(request)
  return { clientId, clientSecret, agentId, owner, prover, token: accessToken }
}

/** One request with a new proof. */
export async function call(resource: string, { prover, token }: Caller): Promise<Response> {
  const dpop = await prover.createProof({ method: 'POST', url: resource, accessToken: token })
  const response = await fetch(resource, {
    method: 'POST',
    headers: { authorization: `DPoP ${token}`, dpop },
  })
  await response.arrayBuffer()
  return response
}

/** @returns how often the revoked token was let in before it was refused */
export async function callUntilRefused(resource: string, caller: Caller): Promise<number> {
  const deadline = performance.now() + GIVE_UP
  for (let times = 0; performance.now() < deadline; times++) {
    const { status } = await call(resource, caller)
    if (status === 401) return times
    if (status !== 200) throw new Error(`a revoked token was answered ${status}`)
  }
  throw new Error('a revocation does not arrive')
}
