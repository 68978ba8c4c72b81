import { type AccessTokens, createAccessTokens } from './access-token.ts'
import type { Settings } from './options.ts'
import { createRevocation, type Revocation } from './revocation/revocation.ts'
import { SigningKeys } from './signing-keys.ts'
import { StatusLists } from './status-list/status-lists.ts'

/** What the endpoints of one issuer are made of. */
export interface Parts {
  readonly settings: Settings
  readonly keys: SigningKeys
  readonly revocation: Revocation
  readonly tokens: AccessTokens
  /** Absent where the issuer publishes none. */
  readonly statusLists: StatusLists | undefined
}

export function assemble(settings: Settings): Parts {
  const keys = new SigningKeys(settings)
  const statusLists = settings.statusList && new StatusLists(settings, settings.statusList.size)
  const revocation = createRevocation(settings, statusLists)
  const tokens = createAccessTokens(settings, keys, revocation, statusLists)
  return { settings, keys, revocation, tokens, statusLists }
}
