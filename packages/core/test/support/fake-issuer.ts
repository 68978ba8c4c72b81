import { generateKeyPair, type KeyPair } from '../../../../test/support/exchange.ts'
import { IssuerKeys } from '../../src/keys.ts'

export const ISSUER = 'https://as.example.com'
const JWKS = `${ISSUER}/jwks`
const METADATA = `${ISSUER}/.well-known/oauth-authorization-server`

type Answer = () => Response | Promise<Response>

/** An issuer without a network: answers by URL, a clock to turn, and a list of what was asked for. */
export class FakeIssuer {
  now = 1_800_000_000
  readonly requests: string[] = []
  readonly answers = new Map<string, Answer>()
  readonly init: RequestInit[] = []

  constructor(...keys: readonly KeyPair[]) {
    this.answers.set(METADATA, () => Response.json({ issuer: ISSUER, jwks_uri: JWKS }))
    this.publish(keys)
  }

  readonly fetch = async (url: string | URL | Request, init?: RequestInit): Promise<Response> => {
    this.requests.push(String(url))
    if (init !== undefined) this.init.push(init)
    const answer = this.answers.get(String(url))
    return answer === undefined ? new Response(null, { status: 404 }) : answer()
  }

  readonly clock = () => this.now

  publish(keys: readonly KeyPair[], headers: Record<string, string> = {}): void {
    this.answerKeys(() => Response.json({ keys: keys.map(published) }, { headers }))
  }

  /** How the key set is answered from now on. */
  answerKeys(answer: Answer): void {
    this.answers.set(JWKS, answer)
  }

  /** Nothing answers any more. */
  goDown(): void {
    for (const url of this.answers.keys()) {
      this.answers.set(url, () => Promise.reject(new TypeError('fetch failed')))
    }
  }

  /** Fetches of the key set. */
  get fetches(): number {
    return this.requests.filter((url) => url === JWKS).length
  }

  keys(jwksUri?: string): IssuerKeys {
    return new IssuerKeys({ issuer: ISSUER, jwksUri, fetch: this.fetch as typeof fetch, clock: this.clock })
  }
}

/** A key as an issuer publishes it. */
export const published = ({ publicJwk, kid, alg }: KeyPair): Record<string, string> => ({
  ...publicJwk,
  kid,
  alg,
  use: 'sig',
})

export const keyPair = (kid: string, alg = 'ES256') => generateKeyPair(alg, kid)
