import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { decodeJwt, exportJWK, type GenerateKeyPairResult, generateKeyPair, type JWK, SignJWT } from 'jose'

type Claims = Record<string, unknown>

/** Seconds that its assertions live. */
export const LIFETIME = 300
const ID_JAG = 'urn:ietf:params:oauth:token-type:id-jag'

/**
 * A company's identity provider, on this machine: metadata, keys, and a token endpoint that exchanges ID tokens for
 * assertions (RFC 8693). Nothing of it is the issuer's code.
 */
export class IdentityProvider {
  readonly #server = createServer((request, response) => {
    const path = request.url ?? ''
    this.seen.push(path)
    const send = (status: number, body: unknown, headers = {}) =>
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
    const body = this.answers.get(path)
    if (body !== undefined) return void send(this.status, body, this.headers)
    if (path !== '/token') return void send(404, {})
    let form = ''
    request.on('data', (chunk) => {
      form += chunk
    })
    request.on('end', async () => send(200, await this.#exchange(new URLSearchParams(form))))
  })
  /** Paths that were asked for. */
  readonly seen: string[] = []
  /** What is said of a path: `/jwks` and its metadata. */
  readonly answers = new Map<string, unknown>()
  status = 200
  headers: Record<string, string> = {}
  readonly #now: () => number
  #key!: {
    readonly kid: string
    readonly alg: string
    readonly privateKey: GenerateKeyPairResult['privateKey']
    readonly jwk: JWK
  }

  private constructor(now: () => number) {
    this.#now = now
  }

  static async start(now = () => Date.now() / 1000): Promise<IdentityProvider> {
    const provider = new IdentityProvider(now)
    await new Promise<void>((resolve) => provider.#server.listen(0, '127.0.0.1', resolve))
    const { issuer } = provider
    const metadata = {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
      response_types_supported: ['code'],
    }
    provider.answers.set('/.well-known/openid-configuration', metadata)
    provider.answers.set('/.well-known/oauth-authorization-server', metadata)
    await provider.rotate()
    return provider
  }

  get issuer(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** How often its keys were asked for. */
  get reads(): number {
    return this.seen.filter((path) => path === '/jwks').length
  }

  /** Signs with a new key from now on, and publishes nothing else. */
  async rotate(alg = 'ES256', kid: string = randomUUID()): Promise<void> {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
    const jwk = { ...(await exportJWK(publicKey)), kid, alg }
    this.#key = { kid, alg, privateKey, jwk }
    this.publish()
  }

  publish(keys: readonly JWK[] = [this.#key.jwk]): void {
    this.answers.set('/jwks', { keys })
  }

  get publicKey(): JWK {
    return this.#key.jwk
  }

  sign(claims: Claims, header: Claims = {}): Promise<string> {
    const { alg, kid, privateKey } = this.#key
    return new SignJWT(claims).setProtectedHeader({ alg, kid, ...header }).sign(privateKey)
  }

  /** An assertion with all that it needs; claims over that, `undefined` leaves one out. */
  assertion(claims: Claims, header: Claims = {}): Promise<string> {
    const iat = Math.floor(this.#now())
    const rest = { iss: this.issuer, sub: 'U019488227', iat, exp: iat + LIFETIME, jti: randomUUID() }
    return this.sign({ ...rest, ...claims }, { typ: 'oauth-id-jag+jwt', ...header })
  }

  close(): Promise<void> {
    this.#server.closeAllConnections()
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }

  /** Step 2 of the flow: policy is that everybody may do what they ask for. */
  async #exchange(form: URLSearchParams): Promise<Claims> {
    const { sub } = decodeJwt(form.get('subject_token') ?? '')
    const asked = { aud: form.get('audience'), resource: form.get('resource'), scope: form.get('scope') }
    const assertion = await this.assertion({
      ...Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== null)),
      sub,
      client_id: form.get('client_id')?.replace('at-the-idp ', ''),
    })
    return {
      issued_token_type: ID_JAG,
      access_token: assertion,
      token_type: 'N_A',
      expires_in: LIFETIME,
    }
  }
}
