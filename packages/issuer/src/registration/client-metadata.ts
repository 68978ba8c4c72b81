import { isRedirectUri } from '../authorize/redirect-uri.ts'
import { requireCanonicalKey } from '../dpop.ts'
import { OAuthError } from '../errors.ts'
import type { Settings } from '../options.ts'
import { isScope } from '../scope.ts'
import { isResource } from '../target.ts'

export const AUTH_METHODS = ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none']
export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
export const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
/** Those that need nothing of the operator. */
export const GRANT_TYPES = ['authorization_code', 'client_credentials', 'refresh_token', TOKEN_EXCHANGE]

type Input = Readonly<Record<string, unknown>>

/** What of client metadata is the operator's choice. */
export type MetadataRules = Pick<Settings, 'redirectSchemes' | 'grantTypes'>

/** Client metadata (RFC 7591 §2) in which everything has been checked. */
export interface ClientMetadata {
  readonly name: string
  readonly authMethod: string
  readonly grantTypes: readonly string[]
  readonly redirectUris: readonly string[]
  readonly responseTypes: readonly string[]
  readonly scopes: readonly string[]
  readonly resources: readonly string[]
  readonly dpopBound: boolean
  readonly jwks: { readonly keys: readonly Input[] } | undefined
  /** What is not for us to act on, as it came. */
  readonly metadata: Input
}

const invalidMetadata = (description: string) => new OAuthError('invalid_client_metadata', description)
const invalidRedirectUri = (description: string) => new OAuthError('invalid_redirect_uri', description)

/**
 * @param fallbackGrants `grant_types` where the input names none
 * @throws OAuthError `invalid_client_metadata` or `invalid_redirect_uri` (RFC 7591 §3.2.2). Unknown members are ignored
 */
export function parseClientMetadata(
  input: Input,
  fallbackGrants: readonly string[],
  rules: MetadataRules,
): ClientMetadata {
  const name = input.client_name ?? input.name
  if (typeof name !== 'string' || name.trim() === '' || name.length > 200) {
    throw invalidMetadata('client_name is required, at most 200 characters')
  }
  const authMethod = input.token_endpoint_auth_method ?? input.auth_method ?? 'client_secret_basic'
  if (typeof authMethod !== 'string' || !AUTH_METHODS.includes(authMethod)) {
    throw invalidMetadata(`token_endpoint_auth_method must be one of ${AUTH_METHODS.join(', ')}`)
  }
  const grantTypes = stringList(input.grant_types, 'grant_types') ?? fallbackGrants
  if (!grantTypes.every((grant) => rules.grantTypes.includes(grant))) {
    throw invalidMetadata(`grant_types must be among ${rules.grantTypes.join(', ')}`)
  }
  const responseTypes = stringList(input.response_types, 'response_types') ?? ['code']
  if (responseTypes.some((type) => type !== 'code')) throw invalidMetadata('response_types must be code')
  const { dpop_bound_access_tokens: dpopBound = false } = input
  if (typeof dpopBound !== 'boolean') throw invalidMetadata('dpop_bound_access_tokens must be a boolean')
  return {
    name,
    authMethod,
    grantTypes,
    redirectUris: parseRedirectUris(input, rules),
    responseTypes,
    scopes: parseScopes(input),
    resources: parseResources(input),
    dpopBound,
    jwks: parseKeys(input, authMethod),
    metadata: parseDescription(input),
  }
}

/** `application_type` as MCP demands it of clients (SEP-837): nobody else can answer at a web application's address. */
function parseRedirectUris(input: Input, { redirectSchemes }: MetadataRules): readonly string[] {
  const uris = stringList(input.redirect_uris, 'redirect_uris') ?? []
  // Of the characters a URI is made of (RFC 3986 §2): no others can be sent in `Location`.
  if (!uris.every((uri) => /^[\x21-\x7e]+$/.test(uri) && isRedirectUri(uri, redirectSchemes))) {
    throw invalidRedirectUri(
      'redirect_uris must be https, http on a loopback address, or of a private-use scheme with a period, without fragment',
    )
  }
  const { application_type: type } = input
  if (type !== undefined && type !== 'web' && type !== 'native') {
    throw invalidMetadata('application_type must be web or native')
  }
  if (type === 'web' && !uris.every((uri) => uri.startsWith('https:'))) {
    throw invalidRedirectUri('redirect_uris of a web application must be https; is it a native one?')
  }
  return uris
}

function parseScopes({ scope, scopes }: Input): readonly string[] {
  const named = typeof scope === 'string' ? scope.split(' ').filter((name) => name !== '') : scope
  const list = stringList(named ?? scopes, 'scope') ?? []
  if (!list.every(isScope)) throw invalidMetadata('scope is malformed')
  return [...new Set(list)]
}

/** `resources`: what the client serves, if it is a resource server that will introspect. A member of our own. */
function parseResources(input: Input): readonly string[] {
  const resources = stringList(input.resources, 'resources') ?? []
  if (!resources.every(isResource)) throw invalidMetadata('resources must be absolute http(s) URIs')
  return resources
}

/** Keys come along; what stands at a `jwks_uri` is not fetched. */
function parseKeys({ jwks, jwks_uri: uri }: Input, authMethod: string): ClientMetadata['jwks'] {
  if (authMethod !== 'private_key_jwt') return undefined
  const keys = typeof jwks === 'object' && jwks !== null ? (jwks as Input).keys : undefined
  if (uri !== undefined || !Array.isArray(keys) || keys.length === 0 || keys.length > 10) {
    throw invalidMetadata('private_key_jwt needs the public keys in jwks, one to ten; jwks_uri is not read')
  }
  for (const key of keys) {
    try {
      requireCanonicalKey(key)
    } catch {
      throw invalidMetadata('jwks must hold public keys: EC, Ed25519, or RSA of 2048 to 4096 bits')
    }
  }
  return { keys }
}

const URIS = ['client_uri', 'logo_uri', 'tos_uri', 'policy_uri']
const TEXTS = ['application_type', 'software_id', 'software_version', 'description']

function parseDescription(input: Input): Input {
  for (const name of URIS) {
    const uri = input[name]
    if (uri !== undefined && !(typeof uri === 'string' && /^https?:\/\//.test(uri) && URL.canParse(uri))) {
      throw invalidMetadata(`${name} must be an http(s) URL`)
    }
  }
  for (const name of TEXTS) {
    if (input[name] !== undefined && typeof input[name] !== 'string')
      throw invalidMetadata(`${name} must be a string`)
  }
  stringList(input.contacts, 'contacts')
  const known = [...URIS, ...TEXTS, 'contacts', 'metadata'].filter((name) => input[name] !== undefined)
  return Object.fromEntries(known.map((name) => [name, input[name]]))
}

function stringList(value: unknown, name: string): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined
  const isList =
    Array.isArray(value) &&
    value.length <= 100 &&
    value.every((item) => typeof item === 'string' && item.length <= 2000)
  if (!isList) throw invalidMetadata(`${name} must be a list of strings`)
  return value as string[]
}
