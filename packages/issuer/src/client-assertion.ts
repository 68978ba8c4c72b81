import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose'
import { activeClient } from './clients.ts'
import { PROOF_ALGORITHMS, SKEW } from './dpop.ts'
import { invalidClient, invalidRequest } from './errors.ts'
import type { Form } from './http.ts'
import type { Settings } from './options.ts'
import { sha256 } from './random.ts'
import type { Client } from './records.ts'

export const ASSERTION_ALGORITHMS = PROOF_ALGORITHMS
const TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
/** Seconds that an assertion may live: so long its `jti` is remembered. */
const LONGEST = 3600

export const isClientAssertion = (form: Form) =>
  form.has('client_assertion') || form.has('client_assertion_type')

/**
 * `private_key_jwt` (RFC 7523 §3): signed by a key that the client registered, `iss` and `sub` the client, `aud` exactly
 * the issuer or its token endpoint and nothing beside, `exp` at most an hour ahead, `jti` never seen.
 * @param named `client_id`, if the request has one
 */
export async function verifyClientAssertion(
  form: Form,
  named: string | undefined,
  settings: Settings,
): Promise<Client> {
  const assertion = form.get('client_assertion')?.[0]
  if (assertion === undefined || form.get('client_assertion_type')?.[0] !== TYPE) {
    throw invalidRequest('client_assertion and client_assertion_type belong together')
  }
  const client = await activeClient(subjectOf(assertion), settings)
  if (named !== undefined && named !== client.id) throw invalidClient()
  const { jti, exp } = await verify(assertion, client, settings)
  const id = await sha256(`client-assertion ${client.id} ${jti}`)
  if (!(await settings.store.add('claim', id, {}, { expiresAt: exp + SKEW }))) throw invalidClient()
  return client
}

async function verify(assertion: string, client: Client, { issuer, base, clock }: Settings) {
  if (client.authMethod !== 'private_key_jwt' || client.jwks === undefined) throw invalidClient()
  const now = clock()
  let claims: JWTPayload
  try {
    const keys = createLocalJWKSet(client.jwks as unknown as JSONWebKeySet)
    const { payload } = await jwtVerify(assertion, keys, {
      algorithms: ASSERTION_ALGORITHMS,
      issuer: client.id,
      subject: client.id,
      currentDate: new Date(now * 1000),
      clockTolerance: 10,
    })
    claims = payload
  } catch {
    throw invalidClient()
  }
  const { aud, exp, jti } = claims
  const audience = Array.isArray(aud) && aud.length === 1 ? aud[0] : aud
  const fine =
    (audience === issuer || audience === `${base}/oauth/token`) &&
    typeof exp === 'number' &&
    exp <= now + LONGEST &&
    typeof jti === 'string' &&
    jti !== '' &&
    jti.length <= 256
  if (!fine) throw invalidClient()
  return { jti, exp: exp + 10 }
}

function subjectOf(assertion: string): string | undefined {
  try {
    const { sub } = decodeJwt(assertion)
    return typeof sub === 'string' ? sub : undefined
  } catch {
    return undefined
  }
}
