import * as crypto from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Algorithm = 'ES256' | 'EdDSA' | 'RS256'

/** A public JWK as node:crypto writes it. */
export type Jwk = crypto.JsonWebKey & { kty: string }

export interface KeyPair {
  readonly jwk: Jwk
  readonly privateKey: crypto.KeyObject
  readonly publicKey: crypto.KeyObject
}

/** One caller: its key, and its token with the hash that its proofs carry. */
export interface Client {
  readonly keys: KeyPair
  readonly token: string
  readonly ath: string
}

/** One request, with what the raw verification of its proof needs beside. */
export interface Exchange {
  readonly client: Client
  readonly proof: string
}

/** What a verifier is told: the issuer, its published keys, the resource. Plain data, to be handed to other processes. */
export interface Resource {
  readonly issuer: string
  readonly jwksUri: string
  readonly jwks: { readonly keys: Jwk[] }
  readonly algorithm: Algorithm
  readonly audience: string
  readonly method: string
  /** The public URI of the resource, and the request target as a server sees it. */
  readonly uri: string
  readonly path: string
}

/** A resource and its issuer, who makes whatever a scenario needs. */
export interface World extends Resource {
  /** Of a new key pair, unless one is given: making one costs more than the token. */
  client(claims?: Record<string, unknown>, keys?: KeyPair): Client
  clients(count: number): Client[]
  proof(client: Client, changes?: ProofChanges): string
  /** Any other JWT of the issuer's. */
  jwt(type: string, claims: Record<string, unknown>): string
  close(): void
}

export interface ProofChanges {
  readonly claims?: Record<string, unknown>
  /** Signs, and names in the header, another key than the client's. */
  readonly keys?: KeyPair
}

export const now = () => Math.floor(Date.now() / 1000)

const DESCRIPTION =
  'Reads the ticket queue of the support desk, drafts answers, and files them for review by a person on duty.'

/** An issuer whose keys are served over loopback, and a resource at an address that is only ever compared. */
export async function createWorld(algorithm: Algorithm = 'ES256'): Promise<World> {
  const issuer = 'https://issuer.example'
  const uri = 'https://mcp.example.com/mcp'
  const signing = createKeyPair(algorithm)
  const kid = crypto.randomBytes(16).toString('base64url')
  const jwks = { keys: [{ ...signing.jwk, kid, alg: algorithm, use: 'sig' }] }
  const server = createServer((_, response) => {
    response.setHeader('Content-Type', 'application/json').end(JSON.stringify(jwks))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  server.unref()
  const jwksUri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`

  const world: World = {
    issuer,
    jwksUri,
    jwks,
    algorithm,
    audience: uri,
    method: 'POST',
    uri,
    path: '/mcp',
    client(claims, keys = createKeyPair(algorithm === 'RS256' ? 'ES256' : algorithm)) {
      const header = { alg: algorithm, typ: 'at+jwt', kid }
      const body = {
        iss: issuer,
        sub: `did:web:agents.example:${crypto.randomBytes(8).toString('hex')}`,
        aud: uri,
        client_id: `https://agents.example/${crypto.randomBytes(8).toString('hex')}`,
        iat: now(),
        exp: now() + 3600,
        jti: `tok-${crypto.randomBytes(16).toString('hex')}`,
        scope: 'mcp:tools mcp:resources tickets:read tickets:draft',
        gid: crypto.randomUUID(),
        agent_description: DESCRIPTION,
        cnf: { jkt: thumbprint(keys.jwk) },
        ...claims,
      }
      const token = sign(header, body, algorithm, signing.privateKey)
      return { keys, token, ath: sha256(token) }
    },
    clients(count) {
      return Array.from({ length: count }, () => world.client())
    },
    proof(client, { claims, keys = client.keys } = {}) {
      const alg = keys.jwk.kty === 'OKP' ? 'EdDSA' : 'ES256'
      const header = { typ: 'dpop+jwt', alg, jwk: keys.jwk }
      const body = {
        jti: crypto.randomUUID(),
        htm: world.method,
        htu: uri,
        iat: now(),
        ath: client.ath,
        ...claims,
      }
      return sign(header, body, alg, keys.privateKey)
    },
    jwt: (typ, claims) => sign({ alg: algorithm, typ, kid }, claims, algorithm, signing.privateKey),
    close: () => server.close(),
  }
  return world
}

export function createKeyPair(algorithm: Algorithm): KeyPair {
  const jwk = { publicKeyEncoding: { format: 'jwk' }, privateKeyEncoding: { format: 'jwk' } }
  // Node's types do not know the jwk encoding, which is the one that never exports a key object.
  const generate = crypto.generateKeyPairSync as unknown as (type: string, options: object) => JwkPair
  const pair =
    algorithm === 'ES256'
      ? generate('ec', { namedCurve: 'P-256', ...jwk })
      : algorithm === 'EdDSA'
        ? generate('ed25519', jwk)
        : generate('rsa', { modulusLength: 2048, ...jwk })
  return {
    jwk: pair.publicKey,
    privateKey: crypto.createPrivateKey({ key: pair.privateKey, format: 'jwk' }),
    publicKey: crypto.createPublicKey({ key: pair.publicKey, format: 'jwk' }),
  }
}

interface JwkPair {
  publicKey: Jwk
  privateKey: Jwk
}

function sign(header: object, body: object, algorithm: Algorithm, key: crypto.KeyObject): string {
  const input = `${encode(header)}.${encode(body)}`
  const options = { key, dsaEncoding: 'ieee-p1363' as const }
  const signature = crypto.sign(algorithm === 'EdDSA' ? null : 'sha256', Buffer.from(input), options)
  return received(`${input}.${signature.toString('base64url')}`)
}

/** As a string comes out of an HTTP parser: flat and new. A joined one is first copied by whoever reads it first. */
export function received(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}

/** The last byte of the signature changed, the text still canonical. */
export function withBrokenSignature(jws: string): string {
  const start = jws.lastIndexOf('.') + 1
  const signature = Buffer.from(jws.slice(start), 'base64url')
  signature[signature.length - 1] = (signature[signature.length - 1] ?? 0) ^ 1
  return received(jws.slice(0, start) + signature.toString('base64url'))
}

function thumbprint(jwk: Jwk): string {
  const { crv, kty, x, y } = jwk
  return sha256(JSON.stringify(kty === 'EC' ? { crv, kty, x, y } : { crv, kty, x }))
}

function sha256(text: string): string {
  return crypto.createHash('sha256').update(text).digest('base64url')
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
