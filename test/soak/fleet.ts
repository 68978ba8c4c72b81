import * as crypto from 'node:crypto'
import type { RunningIssuer } from '@sharkguard/issuer'
import { generateKeyPair, type KeyPair, sha256, sign } from '../support/exchange.ts'

/** An agent as the guard sees it: a key, and a token that is renewed before it ends. */
export interface Member {
  readonly clientId: string
  readonly key: KeyPair
  token: string
  /** The second of the run at which its token is renewed. */
  renewAt: number
}

/** Seconds between a revocation and the moment from which it must hold everywhere (design: 5). */
const GRACE = 5
const TOKEN_LIFETIME = 120
/** Seconds of it after which a token is renewed. */
const RENEWAL = 60

/** Honest agents, and those that were. */
export class Fleet {
  readonly resource: string
  readonly members: Member[] = []
  /** Revoked long enough ago for every guard to know. */
  readonly gone: Member[] = []
  revocations = 0
  rotations = 0
  readonly #issuer: RunningIssuer
  #number = 0

  private constructor(issuer: RunningIssuer, resource: string) {
    this.#issuer = issuer
    this.resource = resource
  }

  static async create(issuer: RunningIssuer, resource: string, size: number): Promise<Fleet> {
    const fleet = new Fleet(issuer, resource)
    for (let i = 0; i < size; i++) fleet.members.push(await fleet.#enlist(i % RENEWAL))
    return fleet
  }

  pick(): Member {
    return this.members[Math.floor(Math.random() * this.members.length)] as Member
  }

  mint(member: Pick<Member, 'clientId' | 'key'>, changes: object = {}): Promise<string> {
    const { clientId, key } = member
    const usual = {
      clientId,
      audience: this.resource,
      jkt: key.jkt,
      scope: 'mcp:read',
      expiresIn: TOKEN_LIFETIME,
    }
    return this.#issuer.mintToken({ ...usual, ...changes })
  }

  proof(member: Pick<Member, 'key' | 'token'>, changes: object = {}): string {
    return sign(
      { alg: 'ES256', typ: 'dpop+jwt', jwk: member.key.publicJwk },
      {
        jti: crypto.randomUUID(),
        htm: 'POST',
        htu: this.resource,
        iat: Math.floor(Date.now() / 1000),
        ath: sha256(member.token),
        ...changes,
      },
      member.key,
    )
  }

  /** What a second of an issuer's life brings: tokens are renewed, now and then an agent goes and a new one comes. */
  async live(second: number): Promise<void> {
    for (const member of this.members.filter(({ renewAt }) => renewAt <= second)) {
      member.renewAt += RENEWAL
      member.token = await this.mint(member)
    }
    if (second % 3 === 2) await this.#dismiss(second)
    if (second % 45 === 44) {
      await this.#issuer.rotateKeys()
      this.rotations++
    }
  }

  async #dismiss(second: number): Promise<void> {
    const member = this.members.shift() as Member
    this.members.push(await this.#enlist(second + RENEWAL))
    // Its last requests are on the way: nobody may count on their outcome.
    await new Promise((resolve) => setTimeout(resolve, 3000))
    await this.#issuer.revokeToken(member.token)
    this.revocations++
    setTimeout(() => {
      this.gone.push(member)
      if (this.gone.length > 20) this.gone.shift()
    }, GRACE * 1000).unref()
  }

  async #enlist(renewAt: number): Promise<Member> {
    const bare = { clientId: `soak-${this.#number++}`, key: generateKeyPair() }
    return { ...bare, renewAt, token: await this.mint(bare) }
  }
}
