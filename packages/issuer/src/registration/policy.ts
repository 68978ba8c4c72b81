import { requireKnownOptions } from '../known-options.ts'
import { isScope } from '../scope.ts'

/** Who may register, and what for (RFC 7591). */
export interface RegistrationPolicy {
  /** Only those who send it as a bearer token may register (RFC 7591 §3). Default: anybody. */
  readonly initialAccessToken?: string
  /**
   * Scopes that clients may have which no administrator registered, those with a metadata document included; `*` and
   * `a.*` are wildcards. Default: any.
   */
  readonly scopes?: readonly string[]
  /** Registrations an hour from one address. Default 1000. */
  readonly perAddress?: number
  /** Registrations an hour, all together. Default 10,000. */
  readonly total?: number
}

export interface RegistrationSettings {
  readonly isOpen: boolean
  readonly initialAccessToken: string | undefined
  readonly scopes: readonly string[] | undefined
  readonly perAddress: number
  readonly total: number
}

const OPTIONS: Record<keyof RegistrationPolicy, true> = {
  initialAccessToken: true,
  scopes: true,
  perAddress: true,
  total: true,
}

/** @throws TypeError naming the option and what was expected */
export function resolvePolicy(option: 'open' | 'closed' | RegistrationPolicy = 'open'): RegistrationSettings {
  if (
    typeof option === 'string'
      ? !['open', 'closed'].includes(option)
      : option === null || typeof option !== 'object'
  ) {
    throw new TypeError("issuer: registration: expected 'open', 'closed' or an object")
  }
  const policy: RegistrationPolicy = typeof option === 'string' ? {} : option
  requireKnownOptions('registration', policy, OPTIONS)
  const { initialAccessToken, scopes, perAddress = 1000, total = 10_000 } = policy
  if (initialAccessToken !== undefined && !/^[\x21-\x7e]{16,}$/.test(initialAccessToken)) {
    throw new TypeError('issuer: registration.initialAccessToken: expected 16 characters or more, no spaces')
  }
  if (
    scopes !== undefined &&
    !(Array.isArray(scopes) && scopes.every((scope) => typeof scope === 'string' && isScope(scope)))
  ) {
    throw new TypeError('issuer: registration.scopes: expected a list of scopes')
  }
  for (const [limit, value] of Object.entries({ perAddress, total })) {
    if (!(Number.isInteger(value) && value >= 1)) {
      throw new TypeError(`issuer: registration.${limit}: expected a whole number of registrations an hour`)
    }
  }
  return { isOpen: option !== 'closed', initialAccessToken, scopes, perAddress, total }
}
