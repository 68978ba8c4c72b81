import { invalidClient, invalidRequest, OAuthError } from './errors.ts'
import { isEqualInConstantTime, randomId, randomSecret, sha256 } from './random.ts'
import type { Client } from './records.ts'
import type { IssuerStore } from './store.ts'

export const AUTH_METHODS = ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none']
export const GRANT_TYPES = [
  'authorization_code',
  'client_credentials',
  'refresh_token',
  'urn:ietf:params:oauth:grant-type:token-exchange',
]
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/

/** A new client and the secrets it is told once. */
export interface Registered {
  readonly client: Client
  readonly clientSecret: string | undefined
  readonly registrationToken: string
}

const invalidMetadata = (description: string) => new OAuthError('invalid_client_metadata', description)

/** Client metadata (RFC 7591 §2) → a client. Unknown members are kept and echoed, never interpreted. */
export async function createClient(
  input: Readonly<Record<string, unknown>>,
  prefix: 'shark_dcr_' | 'shark_agent_',
  now: number,
): Promise<Registered> {
  const name = input.client_name ?? input.name
  if (typeof name !== 'string' || name.trim() === '' || name.length > 200) {
    throw invalidMetadata('client_name is required, at most 200 characters')
  }
  const authMethod = input.token_endpoint_auth_method ?? input.auth_method ?? 'client_secret_basic'
  if (typeof authMethod !== 'string' || !AUTH_METHODS.includes(authMethod)) {
    throw invalidMetadata(`token_endpoint_auth_method must be one of ${AUTH_METHODS.join(', ')}`)
  }
  const fallback = prefix === 'shark_agent_' ? ['client_credentials'] : ['authorization_code']
  const grantTypes = stringList(input.grant_types, 'grant_types') ?? fallback
  if (!grantTypes.every((grant) => GRANT_TYPES.includes(grant))) {
    throw invalidMetadata(`grant_types must be among ${GRANT_TYPES.join(', ')}`)
  }
  const redirectUris = stringList(input.redirect_uris, 'redirect_uris') ?? []
  if (!redirectUris.every(isRedirectUri)) {
    throw new OAuthError('invalid_redirect_uri', 'redirect_uris must be https, or http on a loopback address')
  }
  const scopes = parseScope(input.scope) ?? stringList(input.scopes, 'scopes') ?? []
  if (!scopes.every((scope) => SCOPE.test(scope))) throw invalidMetadata('scope is malformed')
  const clientSecret = authMethod.startsWith('client_secret') ? randomSecret() : undefined
  const registrationToken = randomSecret()
  return {
    clientSecret,
    registrationToken,
    client: {
      id: `${prefix}${randomId()}`,
      agentId: `agent_${randomId()}`,
      name,
      registeredBy: prefix === 'shark_agent_' ? 'admin' : 'itself',
      secretHash: clientSecret && (await sha256(clientSecret)),
      registrationTokenHash: await sha256(registrationToken),
      authMethod,
      grantTypes,
      redirectUris,
      responseTypes: stringList(input.response_types, 'response_types') ?? ['code'],
      scopes,
      resources: [],
      dpopBound: input.dpop_bound_access_tokens === true,
      active: true,
      createdAt: Math.floor(now),
      createdBy: typeof input.created_by === 'string' ? input.created_by : undefined,
      metadata: pick(input, [
        'client_uri',
        'logo_uri',
        'tos_uri',
        'policy_uri',
        'contacts',
        'description',
        'metadata',
      ]),
    },
  }
}

/** A client by its id. */
export function findClient(store: IssuerStore, id: string): Promise<Client | undefined> {
  return store.get('client', id)
}

/** A client by its id, or by the admin API's name for it. */
export async function findAgent(store: IssuerStore, id: string): Promise<Client | undefined> {
  return (
    (await store.get('client', id)) ??
    (await store.list('client', { index: `agent:${id}`, limit: 1 })).data[0]
  )
}

/** Keeps a new client where it is found by all its names. */
export async function addClient(store: IssuerStore, client: Client): Promise<void> {
  const creator = client.createdBy === undefined ? [] : [`creator:${client.createdBy}`]
  await store.add('client', client.id, client, { indexes: [`agent:${client.agentId}`, ...creator] })
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
    ...(client.dpopBound ? { dpop_bound_access_tokens: true } : {}),
    ...client.metadata,
  }
}

/**
 * Authenticates a client (RFC 6749 §2.3). One that was registered for `client_secret_basic` may also send its secret in
 * the body, and the other way round: SharkAuth's own SDK does the former.
 */
export async function authenticateClient(
  store: IssuerStore,
  authorization: string | undefined,
  form: ReadonlyMap<string, readonly string[]>,
  now: number,
): Promise<Client> {
  const basic = authorization === undefined ? undefined : parseBasic(authorization)
  const bodySecret = form.get('client_secret')?.[0]
  if (basic !== undefined && bodySecret !== undefined) {
    throw invalidRequest('The client authenticated in more than one way')
  }
  const id = basic?.id ?? form.get('client_id')?.[0]
  const secret = basic?.secret ?? bodySecret
  const client = id === undefined ? undefined : await findClient(store, id)
  if (client === undefined || !client.active) throw invalidClient()
  if (client.authMethod === 'none' && secret === undefined) return client
  if (secret === undefined || !(await isSecretOf(client, secret, now))) throw invalidClient()
  return client
}

async function isSecretOf(client: Client, secret: string, now: number): Promise<boolean> {
  const hash = await sha256(secret)
  const { secretHash, previousSecret } = client
  if (secretHash !== undefined && isEqualInConstantTime(hash, secretHash)) return true
  return (
    previousSecret !== undefined &&
    now < previousSecret.until &&
    isEqualInConstantTime(hash, previousSecret.hash)
  )
}

/** RFC 7617, with both parts form-encoded (RFC 6749 §2.3.1). */
function parseBasic(authorization: string): { id: string; secret: string } | undefined {
  const match = /^basic +([A-Za-z0-9+/]+=*)$/i.exec(authorization)
  if (match === null) return undefined
  try {
    const [id, ...secret] = atob(match[1] as string).split(':')
    const decode = (text: string) => decodeURIComponent(text.replaceAll('+', ' '))
    return { id: decode(id as string), secret: decode(secret.join(':')) }
  } catch {
    throw invalidClient()
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

function stringList(value: unknown, name: string): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined
  const fine =
    Array.isArray(value) &&
    value.length <= 100 &&
    value.every((v) => typeof v === 'string' && v.length <= 2000)
  if (!fine) throw invalidMetadata(`${name} must be a list of strings`)
  return value as string[]
}

export function parseScope(scope: unknown): readonly string[] | undefined {
  if (scope === undefined || scope === '') return undefined
  if (typeof scope !== 'string' || scope.length > 4000)
    throw new OAuthError('invalid_scope', 'scope must be a string')
  const scopes = scope.split(' ').filter((name) => name !== '')
  if (!scopes.every((name) => SCOPE.test(name))) throw new OAuthError('invalid_scope', 'scope is malformed')
  return [...new Set(scopes)]
}

function pick(input: Readonly<Record<string, unknown>>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.filter((name) => name in input).map((name) => [name, input[name]]))
}
