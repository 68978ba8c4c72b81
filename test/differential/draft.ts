import { base64url, type Exchange, type KeyPair, sha256, signature } from '../support/exchange.ts'
import type { WireRequest } from './judges.ts'

type Members = Record<string, unknown>

/** A valid request that is not written yet: changes are made to it, then it is signed and put into fields. */
export interface Draft {
  method: string
  target: string
  scheme: string
  token: { header: Members; claims: Members; key: KeyPair }
  /** Absent: no proof is sent. */
  proof: { header: Members; claims: Members; key: KeyPair } | undefined
  /** Edits of finished text. */
  editTokenJson: (json: string) => string
  editProofJson: (json: string) => string
  editToken: (text: string) => string
  editProof: (text: string) => string
  editFields: (fields: [string, string][]) => [string, string][]
  times: number
}

let counter = 0
const unique = () => `differential-${process.pid}-${counter++}`
const same = <T>(value: T) => value

/** The valid request. */
export function draft(exchange: Exchange): Draft {
  const now = Math.floor(exchange.now())
  const { agentKey, issuerKey, issuer, resource } = exchange
  return {
    method: 'POST',
    target: '/mcp',
    scheme: 'DPoP',
    token: {
      header: { alg: issuerKey.alg, typ: 'at+jwt', kid: issuerKey.kid },
      claims: {
        iss: issuer,
        sub: 'agent-1',
        aud: resource,
        client_id: 'agent-1',
        exp: now + 300,
        iat: now,
        jti: unique(),
        scope: 'mcp:read',
        cnf: { jkt: agentKey.jkt },
      },
      key: issuerKey,
    },
    proof: {
      header: { alg: agentKey.alg, typ: 'dpop+jwt', jwk: agentKey.publicJwk },
      claims: { jti: unique(), htm: 'POST', htu: resource, iat: now },
      key: agentKey,
    },
    editTokenJson: same,
    editProofJson: same,
    editToken: same,
    editProof: same,
    editFields: same,
    times: 1,
  }
}

/** Signs and writes it. */
export function write({ method, target, scheme, token, proof, times, ...edit }: Draft): WireRequest {
  const text = edit.editToken(signed(token, edit.editTokenJson))
  const fields: [string, string][] = [['Authorization', `${scheme} ${text}`]]
  if (proof !== undefined) {
    const claims = { ath: sha256(text), ...proof.claims }
    fields.push(['DPoP', edit.editProof(signed({ ...proof, claims }, edit.editProofJson))])
  }
  return { method, target, fields: edit.editFields(fields), times }
}

function signed(
  { header, claims, key }: NonNullable<Draft['proof']>,
  edit: (json: string) => string,
): string {
  const input = `${base64url(JSON.stringify(header))}.${base64url(edit(JSON.stringify(claims)))}`
  return `${input}.${signature(input, key)}`
}
