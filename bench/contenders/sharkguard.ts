import { createGuard, type Guard, type Verdict } from '@sharkguard/core'
import type { Contender, Verifier } from '../contender.ts'
import { received } from '../world.ts'

export const sharkguard: Contender = {
  name: 'sharkguard',
  setup({ audience, issuer, jwksUri, path }) {
    const guard = createGuard(audience, {
      issuer: { issuer, jwksUri },
      dpop: 'when-bound',
      revocation: 'off',
    })
    return verifierOf(guard, path)
  },
}

/** Calls a guard as an adapter does. */
export function verifierOf(guard: Guard, path: string): Required<Verifier> {
  return {
    bearer(token) {
      const request = { method: 'POST', url: path, headers: rawHeaders(`Bearer ${token}`) }
      return () => guard.verify(request).then(isAllowed)
    },
    dpop(token, proof, method) {
      const request = { method, url: path, headers: rawHeaders(`DPoP ${token}`, proof) }
      return () => guard.verify(request).then(isAllowed)
    },
  }
}

const isAllowed = (verdict: Verdict) => verdict.ok

/** As `req.rawHeaders` has them for a call of an MCP client. */
function rawHeaders(authorization: string, proof?: string): string[] {
  const headers = [
    ...['host', 'mcp.example.com', 'connection', 'keep-alive', 'content-type', 'application/json'],
    ...['accept', 'application/json, text/event-stream', 'mcp-protocol-version', '2025-11-25'],
    ...['authorization', received(authorization)],
  ]
  if (proof !== undefined) headers.push('dpop', received(proof))
  headers.push('accept-language', '*', 'user-agent', 'node', 'content-length', '120')
  return headers
}
