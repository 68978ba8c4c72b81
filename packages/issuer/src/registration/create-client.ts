import { OAuthError } from '../errors.ts'
import type { Settings } from '../options.ts'
import { randomId, randomSecret, sha256 } from '../random.ts'
import type { Client } from '../records.ts'
import { type MetadataRules, parseClientMetadata } from './client-metadata.ts'

/** A new client and the secrets it is told once. */
export interface Registered {
  readonly client: Client
  readonly clientSecret: string | undefined
  readonly registrationToken: string
}

const PREFIX = { admin: 'shark_agent_', itself: 'shark_dcr_', document: 'shark_cimd_' }

/**
 * Client metadata (RFC 7591 §2) → a client.
 * @throws OAuthError `invalid_client_metadata` or `invalid_redirect_uri`
 */
export async function createClient(
  input: Readonly<Record<string, unknown>>,
  registeredBy: Client['registeredBy'],
  settings: MetadataRules & Pick<Settings, 'clock'>,
): Promise<Registered> {
  const metadata = parseClientMetadata(
    input,
    registeredBy === 'admin' ? ['client_credentials'] : ['authorization_code'],
    settings,
  )
  const clientSecret = hasSecret(metadata) ? randomSecret() : undefined
  const registrationToken = randomSecret()
  const isAdmin = registeredBy === 'admin'
  return {
    clientSecret,
    registrationToken,
    client: {
      ...metadata,
      id: `${PREFIX[registeredBy]}${randomId()}`,
      agentId: `agent_${randomId()}`,
      registeredBy,
      secretHash: clientSecret && (await sha256(clientSecret)),
      registrationTokenHash: await sha256(registrationToken),
      active: true,
      createdAt: Math.floor(settings.clock()),
      createdBy: isAdmin && typeof input.created_by === 'string' ? input.created_by : undefined,
    },
  }
}

export const hasSecret = ({ authMethod }: Pick<Client, 'authMethod'>) =>
  authMethod.startsWith('client_secret')

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
    ...(client.jwks === undefined ? {} : { jwks: client.jwks }),
    ...(client.dpopBound ? { dpop_bound_access_tokens: true } : {}),
    ...client.metadata,
  }
}

/**
 * A client with some of its metadata changed, by an administrator; how it authenticates stays.
 * @throws OAuthError `invalid_client_metadata` or `invalid_redirect_uri`
 */
export function changeClient(
  client: Client,
  changes: Readonly<Record<string, unknown>>,
  rules: MetadataRules,
): Client {
  const { name, scopes, auth_method, token_endpoint_auth_method, active, ...rest } = changes
  const method = token_endpoint_auth_method ?? auth_method ?? client.authMethod
  if (method !== client.authMethod) {
    throw new OAuthError('invalid_client_metadata', 'token_endpoint_auth_method cannot be changed')
  }
  const merged = {
    ...describeClient(client),
    ...(name === undefined ? {} : { client_name: name }),
    ...(scopes === undefined ? {} : { scope: undefined, scopes }),
    ...rest,
  }
  const isActive = typeof active === 'boolean' ? active : client.active
  return { ...client, ...parseClientMetadata(merged, client.grantTypes, rules), active: isActive }
}
