import { invalidRequest, OAuthError } from '../errors.ts'
import type { Settings } from '../options.ts'
import { covers, parseScope } from '../scope.ts'
import { requireTargets } from '../target.ts'
import type { Recipient } from './recipient.ts'

/** An authorization request in which everything has been checked (RFC 6749 §4.1.1). */
export interface AuthorizationRequest extends Recipient {
  readonly scopes: readonly string[]
  /** At least one. */
  readonly resources: readonly string[]
  readonly codeChallenge: string
  /** `dpop_jkt`, RFC 9449 §10 */
  readonly jkt: string | undefined
  readonly prompt: ReadonlySet<string>
}

/** base64url of 32 bytes, in the one spelling it has. */
const DIGEST = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/

/** @throws OAuthError for the recipient, who can be told */
export async function parseRequest(
  parameters: URLSearchParams,
  recipient: Recipient,
  settings: Settings,
): Promise<AuthorizationRequest> {
  const values = collect(parameters)
  const { client } = recipient
  if (values.has('request')) throw new OAuthError('request_not_supported', 'request is not supported')
  if (values.has('request_uri'))
    throw new OAuthError('request_uri_not_supported', 'request_uri is not supported')
  const responseType = values.get('response_type')?.[0]
  if (responseType === undefined) throw invalidRequest('response_type is required')
  if (responseType !== 'code') {
    throw new OAuthError('unsupported_response_type', 'response_type must be code')
  }
  if ((values.get('response_mode')?.[0] ?? 'query') !== 'query')
    throw invalidRequest('response_mode must be query')
  if (!client.grantTypes.includes('authorization_code') || !client.responseTypes.includes('code')) {
    throw new OAuthError('unauthorized_client', 'The client is not registered for authorization_code')
  }
  const codeChallenge = values.get('code_challenge')?.[0]
  if (codeChallenge === undefined || values.get('code_challenge_method')?.[0] !== 'S256') {
    throw invalidRequest('code_challenge with code_challenge_method S256 is required (RFC 7636)')
  }
  if (!DIGEST.test(codeChallenge)) throw invalidRequest('code_challenge is malformed')
  return {
    ...recipient,
    codeChallenge,
    scopes: allowedScopes(parseScope(values.get('scope')?.[0]), recipient, settings),
    resources: requireTargets(new Map([['resource', values.get('resource') ?? []]]), settings),
    jkt: await boundKey(values.get('dpop_jkt')?.[0], settings),
    prompt: parsePrompt(values.get('prompt')?.[0]),
  }
}

/** Parameters with a value; `resource` may come several times, another one not (RFC 6749 §3.1, RFC 8707 §2). */
function collect(parameters: URLSearchParams): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, string[]>()
  for (const [name, value] of parameters) {
    const known = values.get(name)
    if (known === undefined) values.set(name, [value])
    else if (name === 'resource') known.push(value)
    else throw invalidRequest('A parameter is repeated')
  }
  for (const [name, [value]] of values) if (value === '') values.delete(name)
  return values
}

/**
 * What an administrator registered is the limit. What a client registered by itself is only what it asks for by default:
 * it could register again with more, and the user sees what is asked for; the limit is the issuer's policy.
 */
function allowedScopes(
  asked: readonly string[] | undefined,
  { client }: Recipient,
  { registration }: Settings,
) {
  const scopes = asked ?? client.scopes
  const limit = client.registeredBy === 'admin' ? nonEmpty(client.scopes) : registration.scopes
  if (limit !== undefined && !scopes.every((scope) => limit.some((granted) => covers(granted, scope)))) {
    throw new OAuthError('invalid_scope', 'The client may not ask for this scope')
  }
  return scopes
}

const nonEmpty = (list: readonly string[]) => (list.length === 0 ? undefined : list)

async function boundKey(jkt: string | undefined, { store }: Settings): Promise<string | undefined> {
  if (jkt === undefined) return undefined
  if (!DIGEST.test(jkt)) throw invalidRequest('dpop_jkt is malformed')
  if ((await store.get('retired', jkt)) !== undefined) {
    throw invalidRequest('The key has been rotated out and cannot be bound again')
  }
  return jkt
}

/** OpenID Connect Core §3.1.2.1, as far as MCP clients use it: `none` alone, and `consent`. */
function parsePrompt(prompt: string | undefined): ReadonlySet<string> {
  const values = new Set(prompt?.split(' ').filter((value) => value !== ''))
  if (values.has('none') && values.size > 1) throw invalidRequest('prompt none cannot be combined')
  return values
}
