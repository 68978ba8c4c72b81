import { base64url, type CryptoKey, calculateJwkThumbprint, importPKCS8, type JWK, SignJWT } from 'jose'
import { systemClock } from './clock.ts'
import { AgentError } from './errors.ts'
import { htmOf, htuOf } from './request-target.ts'

/** `EdDSA` and `Ed25519` are the same key under its old and its fully specified name (RFC 9864). */
export type ProofAlgorithm = 'ES256' | 'EdDSA' | 'Ed25519'

/** What one proof is for. */
export interface ProofRequest {
  readonly method: string
  /** Absolute; query and fragment are left out of the proof. */
  readonly url: string | URL
  /** Present at a resource server: the proof then carries `ath`. */
  readonly accessToken?: string | undefined
  /** The newest `DPoP-Nonce` of that server. */
  readonly nonce?: string | undefined
  /** Seconds since the epoch. Default: now. */
  readonly iat?: number | undefined
  /** Default: a random UUID. */
  readonly jti?: string | undefined
}

/**
 * A key and the DPoP proofs made with it (RFC 9449 §4). WebCrypto only, so it runs on every runtime with fetch.
 * It does not remember nonces and sends nothing.
 */
export class DPoPProver {
  readonly alg: ProofAlgorithm
  /** RFC 7638 SHA-256 thumbprint of the public key: what a bound token carries as `cnf.jkt`. */
  readonly jkt: string
  readonly #publicJwk: JWK
  readonly #privateKey: CryptoKey

  private constructor(alg: ProofAlgorithm, jkt: string, publicJwk: JWK, privateKey: CryptoKey) {
    this.alg = alg
    this.jkt = jkt
    this.#publicJwk = publicJwk
    this.#privateKey = privateKey
  }

  /** A new key; ES256 by default. With `extractable: false` the private key can never leave this process. */
  static async generate(options: { alg?: ProofAlgorithm; extractable?: boolean } = {}): Promise<DPoPProver> {
    const { alg = 'ES256', extractable = true } = options
    const parameters = KEY_PARAMETERS[alg]
    if (parameters === undefined) throw unsupportedAlgorithm()
    const pair = await crypto.subtle.generateKey(parameters, extractable, ['sign', 'verify'])
    if (!('privateKey' in pair)) throw unsupportedAlgorithm()
    return DPoPProver.#create(alg, await crypto.subtle.exportKey('jwk', pair.publicKey), pair.privateKey)
  }

  /** A PKCS#8 private key, P-256 or Ed25519. Throws {@link AgentError} for anything else; encrypted keys do not load. */
  static async fromPem(pem: string, options: { alg?: ProofAlgorithm } = {}): Promise<DPoPProver> {
    for (const alg of options.alg === undefined ? (['ES256', 'EdDSA'] as const) : [options.alg]) {
      const key = await importPKCS8(pem, alg, { extractable: true }).catch(() => undefined)
      if (key !== undefined) return DPoPProver.#create(alg, await crypto.subtle.exportKey('jwk', key), key)
    }
    throw new AgentError(
      'configuration',
      'the PEM must be an unencrypted PKCS#8 private key ("BEGIN PRIVATE KEY"), P-256 or Ed25519, that fits alg; ' +
        'convert other files with: openssl pkcs8 -topk8 -nocrypt -in key.pem',
    )
  }

  static async #create(alg: ProofAlgorithm, exported: object, privateKey: CryptoKey): Promise<DPoPProver> {
    const { kty, crv, x, y } = exported as Record<string, string>
    const publicJwk = (y === undefined ? { kty, crv, x } : { kty, crv, x, y }) as JWK
    return new DPoPProver(alg, await calculateJwkThumbprint(publicJwk), publicJwk, privateKey)
  }

  /** A copy of the public key: `kty`, `crv`, `x` and, for P-256, `y`. */
  get publicJwk(): JWK {
    return { ...this.#publicJwk }
  }

  /** The private key as PKCS#8 PEM: a secret. Throws {@link AgentError} when the key is not extractable. */
  async privateKeyPem(): Promise<string> {
    if (!this.#privateKey.extractable) {
      throw new AgentError(
        'configuration',
        'the key was generated with extractable: false and cannot be exported',
      )
    }
    const der = new Uint8Array(await crypto.subtle.exportKey('pkcs8', this.#privateKey))
    const lines = btoa(String.fromCharCode(...der)).match(/.{1,64}/g) ?? []
    return `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n`
  }

  /** The value of one `DPoP` header field: good for one request, since a server remembers its `jti`. */
  async createProof(request: ProofRequest): Promise<string> {
    const { accessToken, nonce, iat = systemClock(), jti = crypto.randomUUID() } = request
    const claims = {
      jti,
      htm: htmOf(request.method),
      htu: htuOf(request.url),
      iat: Math.floor(iat),
      ...(accessToken !== undefined && { ath: await hashAccessToken(accessToken) }),
      ...(nonce !== undefined && { nonce }),
    }
    return new SignJWT(claims)
      .setProtectedHeader({ typ: 'dpop+jwt', alg: this.alg, jwk: this.#publicJwk })
      .sign(this.#privateKey)
  }
}

const KEY_PARAMETERS: Readonly<Record<string, { name: string; namedCurve?: string } | undefined>> = {
  ES256: { name: 'ECDSA', namedCurve: 'P-256' },
  EdDSA: { name: 'Ed25519' },
  Ed25519: { name: 'Ed25519' },
}

function unsupportedAlgorithm(): AgentError {
  return new AgentError('configuration', 'alg must be ES256, EdDSA or Ed25519')
}

/** `ath` (RFC 9449 §4.2). */
async function hashAccessToken(token: string): Promise<string> {
  return base64url.encode(
    new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token))),
  )
}
