import type { AccessToken, RevocationContext } from '@sharkguard/core'

export const ISSUER = 'https://as.example.com'

/** What a source needs of a guard; answers are taken for verified, as their signature costs the same whatever is in them. */
export function contextOf(answer: (url: string) => string): RevocationContext {
  return {
    issuer: ISSUER,
    metadata: async () => ({ issuer: ISSUER, revocation_list_uri: `${ISSUER}/revocations` }),
    verifyJwt: async (text) => JSON.parse(text),
    fetch: async (url) => new Response(answer(String(url))),
    clock: () => Date.now() / 1000,
    report: (problem) => console.error(problem),
  }
}

export function tokenOf(n: number, claims: Record<string, unknown> = {}): AccessToken {
  const now = Math.floor(Date.now() / 1000)
  return {
    issuer: ISSUER,
    subject: `usr_${n}`,
    clientId: `shark_agent_${n}`,
    audience: ['https://rs.example.com'],
    issuedAt: now - 10,
    expiresAt: now + 900,
    notBefore: 0,
    id: `jti-${n}`,
    grant: `grant-${n}`,
    scopes: [],
    jkt: `key-${n}`,
    actors: [],
    keyId: 'kid-1',
    hash: `hash-${n}`,
    claims,
  }
}

/** All rules to who asks for all, and no news to who asks for what is newer. */
export function listOf(url: string, rules: () => readonly object[]): string {
  const iat = Math.floor(Date.now() / 1000)
  const claims = { iss: ISSUER, iat, exp: iat + 600, seq: 1 }
  const isDelta = new URL(url).searchParams.has('since')
  return JSON.stringify(
    isDelta ? { ...claims, since: 1, rules: [] } : { ...claims, since: 0, rules: rules() },
  )
}
