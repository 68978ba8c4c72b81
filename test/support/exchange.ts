import * as crypto from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * One valid exchange between an agent and a resource, made from nothing but `node:crypto`: no code of ours signs what
 * our code verifies. A test takes the valid one and breaks exactly one thing.
 */
export interface KeyPair {
  readonly alg: string
  readonly kid: string
  readonly publicJwk: Record<string, string>
  readonly privateKey: crypto.KeyObject
  readonly jkt: string
}

type Changes = Readonly<Record<string, unknown>>

const CURVES: Record<string, string> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }

export function generateKeyPair(alg = 'ES256', kid: string = crypto.randomUUID()): KeyPair {
  const encoding = { publicKeyEncoding: { format: 'jwk' }, privateKeyEncoding: { format: 'jwk' } } as const
  const { publicKey, privateKey } = (alg.startsWith('ES')
    ? crypto.generateKeyPairSync('ec', { namedCurve: CURVES[alg] as string, ...encoding } as never)
    : alg.startsWith('Ed')
      ? crypto.generateKeyPairSync('ed25519', encoding as never)
      : crypto.generateKeyPairSync('rsa', { modulusLength: 2048, ...encoding } as never)) as unknown as {
    publicKey: Record<string, string>
    privateKey: crypto.JsonWebKey
  }
  return {
    alg,
    kid,
    publicJwk: publicKey,
    privateKey: crypto.createPrivateKey({ key: privateKey, format: 'jwk' }),
    jkt: thumbprint(publicKey),
  }
}

/** RFC 7638, written out once more so that a mistake in ours cannot cancel itself. */
export function thumbprint(jwk: Record<string, string>): string {
  const members = { EC: ['crv', 'kty', 'x', 'y'], RSA: ['e', 'kty', 'n'], OKP: ['crv', 'kty', 'x'] }[
    jwk.kty as 'EC'
  ]
  return sha256(`{${members.map((name) => `"${name}":"${jwk[name]}"`).join(',')}}`)
}

export function sha256(text: string): string {
  return crypto.createHash('sha256').update(text).digest('base64url')
}

export function base64url(value: string | Uint8Array): string {
  return Buffer.from(value as string).toString('base64url')
}

/** A compact JWS over the exact texts given. */
export function signText(header: string, payload: string, key: KeyPair, alg = key.alg): string {
  const input = `${base64url(header)}.${base64url(payload)}`
  return `${input}.${signature(input, key, alg)}`
}

export function signature(input: string, key: KeyPair, alg = key.alg): string {
  const data = Buffer.from(input)
  const digest = alg.startsWith('Ed') ? null : `sha${alg.slice(2)}`
  const pss = {
    padding: crypto.constants.RSA_PKCS1_PSS_PADDING,
    saltLength: crypto.constants.RSA_PSS_SALTLEN_DIGEST,
  }
  const bytes = crypto.sign(digest, data, {
    key: key.privateKey,
    ...(alg.startsWith('ES') ? { dsaEncoding: 'ieee-p1363' as const } : {}),
    ...(alg.startsWith('PS') ? pss : {}),
  })
  return bytes.toString('base64url')
}

export function sign(header: Changes, payload: Changes, key: KeyPair): string {
  return signText(JSON.stringify(header), JSON.stringify(payload), key)
}

export interface ProofChanges {
  readonly header?: Changes
  readonly claims?: Changes
  readonly key?: KeyPair
  readonly token?: string
  readonly method?: string
  readonly url?: string
}

export interface TokenChanges {
  readonly header?: Changes
  readonly claims?: Changes
  readonly key?: KeyPair
}

/** An issuer reduced to what a guard sees of it, an agent's key, and a resource. */
export class Exchange {
  readonly resource: string
  readonly issuer: string
  /** Signs tokens; published. */
  readonly issuerKey: KeyPair
  readonly agentKey = generateKeyPair()
  /** What the issuer answers at each path; change it to make the issuer misbehave. */
  readonly answers = new Map<
    string,
    { status?: number; headers?: Record<string, string>; body: string | Uint8Array }
  >()
  readonly requests: string[] = []
  readonly #server: Server | undefined
  /** Seconds. */
  now: () => number = () => Date.now() / 1000

  private constructor(resource: string, issuer: string, server: Server | undefined, issuerKey: KeyPair) {
    this.resource = resource
    this.issuer = issuer
    this.#server = server
    this.issuerKey = issuerKey
    this.answers.set('/.well-known/oauth-authorization-server', {
      body: JSON.stringify({ issuer, jwks_uri: `${issuer}/jwks` }),
    })
    this.publish(this.issuerKey)
  }

  static async start(resource = 'https://mcp.example.com/mcp', alg = 'ES256'): Promise<Exchange> {
    const issuerKey = generateKeyPair(alg, 'issuer-key')
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const exchange = new Exchange(resource, issuer, server, issuerKey)
    server.on('request', (req, res) => {
      const path = req.url as string
      exchange.requests.push(path)
      const answer = exchange.answers.get(path)
      res.writeHead(answer?.status ?? (answer ? 200 : 404), {
        'content-type': 'application/json',
        ...answer?.headers,
      })
      res.end(answer?.body)
    })
    return exchange
  }

  async close(): Promise<void> {
    this.#server?.closeAllConnections()
    await new Promise<void>((resolve) => this.#server?.close(() => resolve()) ?? resolve())
  }

  publish(...keys: readonly KeyPair[]): void {
    const published = keys.map(({ publicJwk, kid, alg }) => ({ ...publicJwk, kid, alg, use: 'sig' }))
    this.answers.set('/jwks', { body: JSON.stringify({ keys: published }) })
  }

  /** A claim set to `undefined` is left out. */
  token({ header, claims, key = this.issuerKey }: TokenChanges = {}): string {
    const now = Math.floor(this.now())
    return sign(
      { alg: key.alg, typ: 'at+jwt', kid: key.kid, ...header },
      {
        iss: this.issuer,
        sub: 'agent-1',
        aud: this.resource,
        client_id: 'agent-1',
        exp: now + 300,
        iat: now,
        jti: crypto.randomUUID(),
        scope: 'mcp:read mcp:write',
        cnf: { jkt: this.agentKey.jkt },
        ...claims,
      },
      key,
    )
  }

  proof(
    token: string,
    { header, claims, key = this.agentKey, method = 'POST', url }: ProofChanges = {},
  ): string {
    return sign(
      { alg: key.alg, typ: 'dpop+jwt', jwk: key.publicJwk, ...header },
      {
        jti: crypto.randomUUID(),
        htm: method,
        htu: url ?? this.resource,
        iat: Math.floor(this.now()),
        ath: sha256(token),
        ...claims,
      },
      key,
    )
  }

  /** Header fields of a valid request, or of one with the given changes. */
  headers(changes: { token?: string; proof?: string; scheme?: string } = {}): Record<string, string> {
    const token = changes.token ?? this.token()
    const proof = changes.proof ?? this.proof(token)
    return { authorization: `${changes.scheme ?? 'DPoP'} ${token}`, dpop: proof }
  }

  /** A valid request as `guard.verify` takes it. */
  request(changes: { token?: string; proof?: string; scheme?: string; method?: string; url?: string } = {}) {
    const headers = Object.entries(this.headers(changes)) as [string, string][]
    return { method: changes.method ?? 'POST', url: changes.url ?? new URL(this.resource).pathname, headers }
  }
}
