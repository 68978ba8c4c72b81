import type { Settings } from './options.ts'
import { randomId, randomSecret, sha256 } from './random.ts'
import type { Revocation } from './revocation/revocation.ts'

/** Seconds for which a code can be redeemed (RFC 6749 §4.1.2 asks for 600 at most, FAPI 2.0 for 60). */
const LIFETIME = 60
/** Seconds for which a code is remembered, so that a second redemption ends what came of the first. */
const MEMORY = 3600

/** What a user agreed to; all of it checked before. */
export interface Authorization {
  readonly clientId: string
  /** The user: `sub` of the tokens. */
  readonly subject: string
  /** As the request had it; absent when it had none. */
  readonly redirectUri?: string | undefined
  /** `code_challenge` of method S256, without which there is no code. */
  readonly codeChallenge: string
  /** Space-delimited. */
  readonly scope: string
  /** RFC 8707: the resources tokens may be asked for; at least one. */
  readonly resources: readonly string[]
  /** `dpop_jkt` (RFC 9449 §10). */
  readonly jkt?: string | undefined
}

/** Makes an authorization code: the beginning of a new grant. Kept as a hash; the text is told once. */
export async function createAuthorizationCode(
  { store, clock }: Settings,
  revocation: Revocation,
  authorization: Authorization,
): Promise<string> {
  const code = randomSecret()
  const gid = randomId()
  const issuedAt = await revocation.issuedAt({ ...authorization, gid })
  const now = clock()
  const record = { ...authorization, gid, issuedAt, expiresAt: now + LIFETIME }
  await store.add('code', await sha256(code), record, { expiresAt: now + MEMORY })
  return code
}
