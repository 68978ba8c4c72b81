import { type AccessTokens, createAccessTokens } from './access-token.ts'
import type { Settings } from './options.ts'
import { createRevocation, type Revocation } from './revocation/revocation.ts'
import { SigningKeys } from './signing-keys.ts'

/** What the endpoints of one issuer are made of. */
export interface Parts {
  readonly settings: Settings
  readonly keys: SigningKeys
  readonly revocation: Revocation
  readonly tokens: AccessTokens
}

export function assemble(settings: Settings): Parts {
  const keys = new SigningKeys(settings)
  const revocation = createRevocation(settings)
  return { settings, keys, revocation, tokens: createAccessTokens(settings, keys, revocation) }
}
