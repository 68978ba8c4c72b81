import { DPoPProver } from '@sharkguard/agent'
import { createGuard, type Guard, type GuardOptions, type Verdict } from '@sharkguard/core'
import { createIssuer, type Issuer, type IssuerOptions, type MintOptions } from '@sharkguard/issuer'

export const RESOURCE = 'https://mcp.example.com/mcp'
export const ISSUER = 'https://as.example.com'

/** An issuer, a guard that trusts it, and an agent's key, in one process and without a network: handlers call handlers. */
export class World {
  readonly issuer: Issuer
  readonly guard: Guard
  readonly prover: DPoPProver

  private constructor(issuer: Issuer, guard: Guard, prover: DPoPProver) {
    this.issuer = issuer
    this.guard = guard
    this.prover = prover
  }

  static async create(options: GuardOptions = {}, issuerOptions: IssuerOptions = {}): Promise<World> {
    const issuer = createIssuer({ issuer: ISSUER, ...issuerOptions })
    const guard = createGuard(RESOURCE, { issuer: ISSUER, fetch: fetchFrom(issuer), ...options })
    return new World(issuer, guard, await DPoPProver.generate())
  }

  close(): Promise<void> {
    return this.guard.close()
  }

  token(changes: MintOptions = {}): Promise<string> {
    return this.issuer.mintToken({ audience: RESOURCE, scope: 'mcp:read', jkt: this.prover.jkt, ...changes })
  }

  proof(
    accessToken: string,
    changes: Partial<Parameters<DPoPProver['createProof']>[0]> = {},
  ): Promise<string> {
    return this.prover.createProof({ method: 'POST', url: RESOURCE, accessToken, ...changes })
  }

  verify(authorization: string, ...proofs: readonly string[]): Promise<Verdict> {
    const fields: [string, string][] = proofs.map((proof) => ['dpop', proof])
    return this.guard.verify({
      method: 'POST',
      url: '/mcp',
      headers: [['authorization', authorization], ...fields],
    })
  }

  /** The verdict in a word. */
  async ask(authorization: string, ...proofs: readonly string[]): Promise<string> {
    const verdict = await this.verify(authorization, ...proofs)
    return verdict.ok ? 'allowed' : `${verdict.status} ${verdict.reason}`
  }

  /** A request with this token and a fresh proof of it. */
  async askWith(token: string): Promise<string> {
    return this.ask(`DPoP ${token}`, await this.proof(token))
  }
}

/** A handler in the place of the network. */
export function fetchFrom(...handlers: readonly { fetch(request: Request): Promise<Response> | Response }[]) {
  const [first, second = first] = handlers
  return (async (input: string | URL | Request, init?: RequestInit) => {
    const request = new Request(input, init)
    return (request.url.startsWith(ISSUER) ? first : second)!.fetch(request)
  }) as typeof fetch
}
