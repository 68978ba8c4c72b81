import type { JWK } from 'jose'
import { requireCanonicalKey } from './dpop.ts'
import { OAuthError } from './errors.ts'
import { randomId, randomSecret, sha256 } from './random.ts'
import type { Client } from './records.ts'
import { isScope, parseScope } from './scope.ts'
import { isResource } from './target.ts'

export const AUTH_METHODS = ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none']
export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
export const GRANT_TYPES = ['authorization_code', 'client_credentials', 'refresh_token', TOKEN_EXCHANGE]

/** A new client and the secrets it is told once. */
export interface Registered {
  readonly client: Client
  readonly clientSecret: string | undefined
  readonly registrationToken: string
}

type Metadata = Readonly<Record<string, unknown>>

const invalidMetadata = (description: string) => new OAuthError('invalid_client_metadata', description)

/**
 * Client metadata (RFC 7591 §2) → a client. Members that are not known are ignored; those that only describe the client are
 * kept and echoed.
 * @throws OAuthError `invalid_client_metadata`, `invalid_redirect_uri`
 */
export async function createClient(
  input: Metadata,
  registeredBy: 'admin' | 'itself',
  now: number,
): Promise<Registered> {
  const prefix = registeredBy === 'admin' ? 'shark_agent_' : 'shark_dcr_'
  const members = readMembers(
    input,
    registeredBy === 'admin' ? ['client_credentials'] : ['authorization_code'],
  )
  const clientSecret = members.authMethod.startsWith('client_secret') ? randomSecret() : undefined
  const registrationToken = randomSecret()
  return {
    clientSecret,
    registrationToken,
    client: {
      ...members,
      id: `${prefix}${randomId()}`,
      agentId: `agent_${randomId()}`,
      registeredBy,
      secretHash: clientSecret && (await sha256(clientSecret)),
      registrationTokenHash: await sha256(registrationToken),
      active: true,
      createdAt: Math.floor(now),
      createdBy: registeredBy === 'admin' ? optionalText(input, 'created_by', 200) : undefined,
    },
  }
}

/** A client with other metadata, by the same rules; how it authenticates stays. `active` is the admin's to change. */
export function updateClient(client: Client, changes: Metadata): Client {
  const { name, scopes, auth_method, token_endpoint_auth_method, ...rest } = changes
  const method = token_endpoint_auth_method ?? auth_method ?? client.authMethod
  if (method !== client.authMethod) throw invalidMetadata('token_endpoint_auth_method cannot be changed')
  const merged = {
    ...describeClient(client),
    ...(name === undefined ? {} : { client_name: name }),
    ...(scopes === undefined ? {} : { scope: undefined, scopes }),
    ...rest,
  }
  const active = typeof changes.active === 'boolean' ? changes.active : client.active
  return { ...client, ...readMembers(merged, client.grantTypes), active }
}

function readMembers(input: Metadata, grantTypesByDefault: readonly string[]) {
  const name = input.client_name ?? input.name
  if (typeof name !== 'string' || name.trim() === '' || name.length > 200) {
    throw invalidMetadata('client_name is required, at most 200 characters')
  }
  const authMethod = input.token_endpoint_auth_method ?? input.auth_method ?? 'client_secret_basic'
  if (typeof authMethod !== 'string' || !AUTH_METHODS.includes(authMethod)) {
    throw invalidMetadata(`token_endpoint_auth_method must be one of ${AUTH_METHODS.join(', ')}`)
  }
  const grantTypes = stringList(input, 'grant_types') ?? grantTypesByDefault
  if (!grantTypes.every((grant) => GRANT_TYPES.includes(grant))) {
    throw invalidMetadata(`grant_types must be among ${GRANT_TYPES.join(', ')}`)
  }
  const redirectUris = stringList(input, 'redirect_uris') ?? []
  if (!redirectUris.every(isRedirectUri)) {
    throw new OAuthError('invalid_redirect_uri', 'redirect_uris must be https, or http on a loopback address')
  }
  return {
    name,
    authMethod,
    grantTypes,
    redirectUris,
    responseTypes: stringList(input, 'response_types') ?? ['code'],
    scopes: readScopes(input),
    resources: readResources(input),
    dpopBound: input.dpop_bound_access_tokens === true,
    jwks: authMethod === 'private_key_jwt' ? readKeys(input) : undefined,
    metadata: pick(input, [
      'client_uri',
      'logo_uri',
      'tos_uri',
      'policy_uri',
      'contacts',
      'description',
      'metadata',
    ]),
  }
}

/** A client as RFC 7591 §3.2.1 describes it back. */
export function describeClient(client: Client): Record<string, unknown> {
  return {
    client_id: client.id,
    client_name: client.name,
    client_id_issued_at: client.createdAt,
    redirect_uris: client.redirectUris,
    grant_types: client.grantTypes,
    response_types: client.responseTypes,
    token_endpoint_auth_method: client.authMethod,
    ...(client.scopes.length > 0 ? { scope: client.scopes.join(' ') } : {}),
    ...(client.resources.length > 0 ? { resources: client.resources } : {}),
    ...(client.dpopBound ? { dpop_bound_access_tokens: true } : {}),
    ...(client.jwks === undefined ? {} : { jwks: client.jwks }),
    ...client.metadata,
  }
}

function readScopes(input: Metadata): readonly string[] {
  const asText = input.scope === undefined ? undefined : String(input.scope)
  try {
    const scopes = parseScope(asText) ?? stringList(input, 'scopes') ?? []
    if (scopes.every(isScope)) return scopes
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error
  }
  throw invalidMetadata('scope must be a space-delimited list')
}

function readResources(input: Metadata): readonly string[] {
  const resources = stringList(input, 'resources') ?? []
  if (!resources.every(isResource)) throw invalidMetadata('resources must be absolute http(s) URIs')
  return resources
}

/** Public keys of `private_key_jwt`. They come with the registration: nothing is fetched from `jwks_uri`. */
function readKeys({ jwks }: Metadata): { keys: readonly Record<string, unknown>[] } {
  const keys = (jwks as { keys?: unknown } | null | undefined)?.keys
  const fine =
    Array.isArray(keys) && keys.length > 0 && keys.length <= 20 && keys.every((key) => isPublicKey(key))
  if (!fine) throw invalidMetadata('private_key_jwt needs jwks: 1 to 20 public keys, EC, OKP or RSA')
  return { keys }
}

function isPublicKey(key: unknown): boolean {
  try {
    requireCanonicalKey(Object(key) as JWK)
    return true
  } catch {
    return false
  }
}

/** Exactly https, or http where only this machine answers (RFC 8252 §7.3). */
function isRedirectUri(text: string): boolean {
  if (!URL.canParse(text) || text.includes('#')) return false
  const { protocol, hostname } = new URL(text)
  return (
    protocol === 'https:' || (protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(hostname))
  )
}

function optionalText(input: Metadata, name: string, longest: number): string | undefined {
  const value = input[name]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string' || value.length > longest) throw invalidMetadata(`${name} must be a text`)
  return value
}

function stringList(input: Metadata, name: string): readonly string[] | undefined {
  const value = input[name]
  if (value === undefined || value === null) return undefined
  const fine =
    Array.isArray(value) &&
    value.length <= 100 &&
    value.every((v) => typeof v === 'string' && v.length <= 2000)
  if (!fine) throw invalidMetadata(`${name} must be a list of strings`)
  return value as string[]
}

function pick(input: Metadata, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.filter((name) => name in input).map((name) => [name, input[name]]))
}
