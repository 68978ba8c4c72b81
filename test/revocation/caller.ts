import { DPoPProver } from '@sharkguard/agent'
import type { Issuer } from '@sharkguard/issuer'

/** An agent with one token for one resource, that calls it with a fresh proof each time. */
export class Caller {
  readonly clientId: string
  readonly agentId: string
  readonly clientSecret: string
  readonly resource: string
  readonly prover: DPoPProver
  readonly token: string

  private constructor(members: Omit<Caller, 'call' | 'holding'>) {
    this.clientId = members.clientId
    this.agentId = members.agentId
    this.clientSecret = members.clientSecret
    this.resource = members.resource
    this.prover = members.prover
    this.token = members.token
  }

  static async create(
    issuer: Issuer,
    resource: string,
    { createdBy, ...mint }: { createdBy?: string; subject?: string; scope?: string } = {},
  ): Promise<Caller> {
    const agent = await issuer.registerAgent(createdBy === undefined ? {} : { createdBy })
    const prover = await DPoPProver.generate()
    const token = await issuer.mintToken({
      clientId: agent.clientId,
      audience: resource,
      jkt: prover.jkt,
      ...mint,
    })
    return new Caller({ ...agent, resource, prover, token })
  }

  /** The same agent and key with another token. */
  holding(token: string): Caller {
    return new Caller({ ...this, token })
  }

  /** @param path below the resource's */
  async call(path = ''): Promise<Response> {
    const url = `${this.resource}${path}`
    const proof = await this.prover.createProof({ method: 'POST', url, accessToken: this.token })
    return fetch(url, { method: 'POST', headers: { authorization: `DPoP ${this.token}`, dpop: proof } })
  }
}
