import { DPoPProver } from '@sharkguard/agent'
import type { Issuer } from '@sharkguard/issuer'
import { decodeJwt } from 'jose'

interface Members {
  readonly clientId: string
  readonly agentId: string
  readonly clientSecret: string
  readonly resource: string
  readonly prover: DPoPProver
  readonly token: string
  readonly clock: () => number
}

export interface CallerOptions {
  /** The user that the agent belongs to. */
  readonly createdBy?: string
  readonly subject?: string
  readonly scope?: string
  /** A token that is bound to no key. */
  readonly bearer?: boolean
  /** What proofs are dated by. */
  readonly clock?: () => number
}

/** An agent with one token for one resource, that calls it with a fresh proof each time. */
export class Caller {
  readonly clientId: string
  readonly agentId: string
  readonly clientSecret: string
  readonly resource: string
  readonly prover: DPoPProver
  readonly token: string
  readonly #members: Members

  private constructor(members: Members) {
    this.#members = members
    this.clientId = members.clientId
    this.agentId = members.agentId
    this.clientSecret = members.clientSecret
    this.resource = members.resource
    this.prover = members.prover
    this.token = members.token
  }

  static async create(issuer: Issuer, resource: string, options: CallerOptions = {}): Promise<Caller> {
    const { createdBy, bearer = false, clock = () => Date.now() / 1000, ...mint } = options
    const agent = await issuer.registerAgent(createdBy === undefined ? {} : { createdBy })
    const prover = await DPoPProver.generate()
    const bound = bearer ? {} : { jkt: prover.jkt }
    const token = await issuer.mintToken({ clientId: agent.clientId, audience: resource, ...bound, ...mint })
    return new Caller({ ...agent, resource, prover, token, clock })
  }

  /** `jkt` of its token, where that is bound. */
  get boundTo(): { readonly jkt?: string } {
    return (decodeJwt(this.token).cnf as { jkt: string } | undefined) ?? {}
  }

  /** The same agent with another token, and perhaps another key. */
  holding(token: string, prover = this.prover): Caller {
    return new Caller({ ...this.#members, token, prover })
  }

  /** @param path below the resource's */
  async call(path = ''): Promise<Response> {
    const url = `${this.resource}${path}`
    if (this.boundTo.jkt === undefined) {
      return fetch(url, { method: 'POST', headers: { authorization: `Bearer ${this.token}` } })
    }
    const iat = Math.floor(this.#members.clock())
    const proof = await this.prover.createProof({ method: 'POST', url, accessToken: this.token, iat })
    return fetch(url, { method: 'POST', headers: { authorization: `DPoP ${this.token}`, dpop: proof } })
  }
}
