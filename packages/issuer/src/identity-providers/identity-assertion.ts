import { decodeJwt, type JWTPayload, jwtVerify } from 'jose'
import { invalidGrant, OAuthError } from '../errors.ts'
import type { Settings } from '../options.ts'
import { sha256 } from '../random.ts'
import { parseScope } from '../scope.ts'
import { isResource } from '../target.ts'
import type { IdentityProvider } from './options.ts'
import { createProviderKeys } from './provider-keys.ts'

const TYPE = 'oauth-id-jag+jwt'
/** Seconds that an assertion may live: so long its `jti` is remembered. */
const LONGEST = 3600
const TOLERANCE = 10
const MAX_LENGTH = 16_384

/** What an identity provider asserts, all of it checked but for what the request has to match. */
export interface IdentityAssertion {
  /** Of this assertion alone: a hash of `iss` and `jti`. */
  readonly id: string
  readonly provider: string
  /** Of the token that is to come. */
  readonly subject: string
  readonly clientId: string
  readonly scopes: readonly string[]
  /** At least one. */
  readonly resources: readonly string[]
  /** The key that the request must prove. */
  readonly jkt: string | undefined
  readonly issuedAt: number
  /** The second from which it cannot be accepted any more. */
  readonly expiresAt: number
}

/**
 * Checks Identity Assertion JWT Authorization Grants (draft-ietf-oauth-identity-assertion-authz-grant §4.4.1), as MCP's
 * Enterprise-Managed Authorization demands it (§7).
 *
 * @returns a function that throws OAuthError `invalid_grant`; or 503 where the provider's keys cannot be had
 */
export function createAssertionCheck(settings: Settings) {
  const providers = new Map(
    settings.trustedIdentityProviders.map((provider) => {
      return [provider.issuer, { provider, keys: createProviderKeys(settings, provider) }]
    }),
  )

  return async function check(assertion: string): Promise<IdentityAssertion> {
    const known = providers.get(issuerOf(assertion))
    if (known === undefined) throw invalidGrant('The assertion is of no identity provider that is trusted')
    const claims = await verify(assertion, known)
    return read(claims, known.provider, settings)
  }

  async function verify(
    assertion: string,
    { provider, keys }: NonNullable<ReturnType<typeof providers.get>>,
  ) {
    try {
      const { payload, protectedHeader } = await jwtVerify(assertion, keys, {
        algorithms: [...provider.algorithms],
        requiredClaims: ['exp', 'iat'],
        currentDate: new Date(settings.clock() * 1000),
        clockTolerance: TOLERANCE,
      })
      // Exactly: jose would also take another spelling.
      if (protectedHeader.typ === TYPE) return payload
    } catch (error) {
      if (error instanceof OAuthError) throw error
      throw invalidGrant('The assertion has expired, or is not signed by its identity provider')
    }
    throw invalidGrant(`The assertion is not of type ${TYPE}`)
  }
}

function issuerOf(assertion: string): string {
  try {
    if (assertion.length <= MAX_LENGTH) return decodeJwt(assertion).iss ?? ''
  } catch {}
  throw invalidGrant('The assertion is not a JWT')
}

async function read(
  claims: JWTPayload,
  { issuer: provider, subjectPrefix }: IdentityProvider,
  settings: Settings,
): Promise<IdentityAssertion> {
  const { aud, sub, jti, client_id: clientId } = claims
  if ((Array.isArray(aud) && aud.length === 1 ? aud[0] : aud) !== settings.issuer) {
    throw invalidGrant('The assertion is for another authorization server')
  }
  if (typeof sub !== 'string' || !/^[\x20-\x7e]{1,255}$/.test(sub)) throw invalidGrant('sub is malformed')
  if (typeof jti !== 'string' || jti === '' || jti.length > 256) throw invalidGrant('jti is malformed')
  if (typeof clientId !== 'string') throw invalidGrant('The assertion names no client')
  // Both would say more than the token to come could, and a user's token would pass for what somebody acts with.
  for (const name of ['act', 'authorization_details']) {
    if (name in claims) throw invalidGrant(`${name} is not understood`)
  }
  return {
    id: await sha256(`id-jag ${provider} ${jti}`),
    provider,
    subject: `${subjectPrefix}${sub}`,
    clientId,
    scopes: readScopes(claims.scope),
    resources: readResources(claims.resource, settings),
    jkt: readKey(claims.cnf),
    ...readTimes(claims, settings.clock()),
  }
}

/** `exp` has been compared with the clock, and both are there. */
function readTimes({ iat = 0, exp = 0 }: JWTPayload, now: number) {
  if (iat > now + TOLERANCE || exp <= iat || exp - iat > LONGEST) {
    throw invalidGrant('The assertion is of the future, or lives for more than an hour')
  }
  return { issuedAt: iat, expiresAt: exp + TOLERANCE + 1 }
}

function readScopes(scope: unknown): readonly string[] {
  try {
    return parseScope(scope) ?? []
  } catch {
    throw invalidGrant('scope of the assertion is malformed')
  }
}

/** RFC 8707 §2: one, or several. Nothing is granted where an assertion leaves it to us and we do not know either. */
function readResources(resource: unknown, { resources, defaultResource }: Settings): readonly string[] {
  const named = resource === undefined ? [defaultResource ?? []].flat() : [resource].flat()
  const isOurs = (one: unknown) =>
    typeof one === 'string' && isResource(one) && (resources === undefined || resources.includes(one))
  if (named.length > 0 && named.every(isOurs)) return [...new Set(named as string[])]
  throw invalidGrant('The assertion is for no resource that tokens are issued for')
}

/** RFC 7800, RFC 9449 §6.1: a binding of another kind cannot be checked, and is not to be lost. */
function readKey(cnf: unknown): string | undefined {
  if (cnf === undefined) return undefined
  const { jkt, ...others } = Object(cnf)
  if (typeof jkt === 'string' && Object.keys(others).length === 0) return jkt
  throw invalidGrant('cnf of the assertion is not understood')
}
