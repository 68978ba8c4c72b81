import { createPrivateKey } from 'node:crypto'
import { calculateJwkThumbprint, decodeProtectedHeader, EmbeddedJWK, jwtVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import { DPoPProver } from '../src/index.ts'

/** RFC 7515 A.3.1. */
const P256 = {
  kty: 'EC',
  crv: 'P-256',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
}
const P256_PEM = pemOf({ ...P256, d: 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI' })

/** RFC 8037 A.1. */
const ED25519 = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVSJ_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }

function pemOf(key: Record<string, string>): string {
  return createPrivateKey({ key, format: 'jwk' }).export({ type: 'pkcs8', format: 'pem' }) as string
}

async function read(proof: string) {
  return jwtVerify(proof, EmbeddedJWK, { typ: 'dpop+jwt' })
}

describe('the vectors', () => {
  it('RFC 7638 §3.1: the thumbprint of the RSA key', async () => {
    const n =
      '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMst' +
      'n64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1' +
      'n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw'
    const jwk = { kty: 'RSA', n, e: 'AQAB', alg: 'RS256', kid: '2011-04-29' }
    expect(await calculateJwkThumbprint(jwk)).toBe('NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs')
  })

  it('RFC 9449 §6.1: the thumbprint of the example key', async () => {
    const jwk = {
      kty: 'EC',
      crv: 'P-256',
      x: 'l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs',
      y: '9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA',
    }
    expect(await calculateJwkThumbprint(jwk)).toBe('0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I')
  })

  it('RFC 9449 §7.1: ath of the example token', async () => {
    const prover = await DPoPProver.generate()
    const proof = await prover.createProof({
      method: 'GET',
      url: 'https://resource.example.org/protectedresource',
      accessToken: 'Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU',
    })
    expect((await read(proof)).payload.ath).toBe('fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo')
  })

  it('RFC 8037 A.3: the thumbprint of a loaded Ed25519 key', async () => {
    const d = 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A'
    const x = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'
    const prover = await DPoPProver.fromPem(pemOf({ ...ED25519, x, d }))
    expect(prover.alg).toBe('EdDSA')
    expect(prover.publicJwk).toEqual({ ...ED25519, x })
    expect(prover.jkt).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k')
  })

  it('RFC 7515 A.3: a loaded P-256 key gives its public half, and nothing else', async () => {
    const prover = await DPoPProver.fromPem(P256_PEM)
    expect(prover.alg).toBe('ES256')
    expect(prover.publicJwk).toEqual(P256)
    expect(prover.jkt).toBe(await calculateJwkThumbprint(P256))
  })
})

describe('a proof', () => {
  it.each(['ES256', 'EdDSA', 'Ed25519'] as const)('is signed with %s by the key it shows', async (alg) => {
    const prover = await DPoPProver.generate({ alg })
    const proof = await prover.createProof({ method: 'POST', url: 'https://a.example/token' })
    const { payload, protectedHeader } = await read(proof)
    expect(protectedHeader).toEqual({ typ: 'dpop+jwt', alg, jwk: prover.publicJwk })
    expect(protectedHeader.jwk).not.toHaveProperty('d')
    expect(Object.keys(payload).sort()).toEqual(['htm', 'htu', 'iat', 'jti'])
    expect(Math.abs((payload.iat ?? 0) - Date.now() / 1000)).toBeLessThan(5)
  })

  it('carries the nonce, iat and jti it is given', async () => {
    const prover = await DPoPProver.generate()
    const proof = await prover.createProof({
      method: 'get',
      url: 'https://a.example',
      nonce: 'n',
      iat: 1.9,
      jti: 'j',
    })
    expect((await read(proof)).payload).toEqual({
      htm: 'GET',
      htu: 'https://a.example/',
      nonce: 'n',
      iat: 1,
      jti: 'j',
    })
  })

  it('has a jti of its own', async () => {
    const prover = await DPoPProver.generate()
    const request = { method: 'GET', url: 'https://a.example' }
    const proofs = await Promise.all(Array.from({ length: 100 }, () => prover.createProof(request)))
    expect(
      new Set(await Promise.all(proofs.map(async (proof) => (await read(proof)).payload.jti))).size,
    ).toBe(100)
  })
})

describe('a key', () => {
  it.each(['ES256', 'EdDSA'] as const)('of %s survives its PEM', async (alg) => {
    const prover = await DPoPProver.generate({ alg })
    const pem = await prover.privateKeyPem()
    const loaded = await DPoPProver.fromPem(pem)
    expect(pem).toMatch(/^-----BEGIN PRIVATE KEY-----\n[\w+/=\n]+\n-----END PRIVATE KEY-----\n$/)
    expect(loaded.jkt).toBe(prover.jkt)
    const proof = await loaded.createProof({ method: 'GET', url: 'https://a.example' })
    expect(decodeProtectedHeader(proof).alg).toBe(alg)
    await expect(read(proof)).resolves.toBeDefined()
  })

  it('loads under the fully specified name when asked to', async () => {
    const pem = await (await DPoPProver.generate({ alg: 'EdDSA' })).privateKeyPem()
    expect((await DPoPProver.fromPem(pem, { alg: 'Ed25519' })).alg).toBe('Ed25519')
  })

  it('that is not extractable still proves, and cannot be exported', async () => {
    const prover = await DPoPProver.generate({ extractable: false })
    await expect(prover.createProof({ method: 'GET', url: 'https://a.example' })).resolves.toMatch(/^ey/)
    await expect(prover.privateKeyPem()).rejects.toThrow(/extractable/)
  })

  it('cannot be changed through the JWK it hands out', async () => {
    const prover = await DPoPProver.generate()
    prover.publicJwk.x = 'another'
    expect(await calculateJwkThumbprint(prover.publicJwk)).toBe(prover.jkt)
  })

  it.each([
    ['nonsense', 'not a key'],
    ['a P-384 key', pemOf384()],
    ['a SEC1 key', createPrivateKey(P256_PEM).export({ type: 'sec1', format: 'pem' }) as string],
  ])('is refused with a word on conversion when it is %s', async (_, pem) => {
    await expect(DPoPProver.fromPem(pem)).rejects.toThrow(/PKCS#8.*openssl/)
  })

  it('is refused when it does not fit the algorithm asked for', async () => {
    await expect(DPoPProver.fromPem(P256_PEM, { alg: 'EdDSA' })).rejects.toThrow(/PKCS#8/)
    await expect(DPoPProver.generate({ alg: 'RS256' as 'ES256' })).rejects.toThrow(/ES256, EdDSA or Ed25519/)
  })
})

function pemOf384(): string {
  return `-----BEGIN PRIVATE KEY-----
MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDCJ8NGgLCDMEHxNDFWf
-----END PRIVATE KEY-----
`
}
