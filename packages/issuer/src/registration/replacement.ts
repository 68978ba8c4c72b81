import { OAuthError } from '../errors.ts'
import { isEqualInConstantTime, sha256 } from '../random.ts'
import type { Client } from '../records.ts'
import { type ClientMetadata, type MetadataRules, parseClientMetadata } from './client-metadata.ts'

/** What only the issuer says (RFC 7592 §2.2). */
const ISSUED = [
  'registration_access_token',
  'registration_client_uri',
  'client_secret_expires_at',
  'client_id_issued_at',
]

/**
 * New metadata for a client, in place of all it had (RFC 7592 §2.2).
 * @throws OAuthError `invalid_client_metadata` or `invalid_redirect_uri`
 */
export async function parseReplacement(
  input: Readonly<Record<string, unknown>>,
  client: Client,
  rules: MetadataRules,
): Promise<ClientMetadata> {
  if (input.client_id !== client.id) throw invalidMetadata('client_id must be that of the client')
  if (ISSUED.some((name) => name in input)) throw invalidMetadata(`${ISSUED.join(', ')} cannot be set`)
  const { client_secret: secret } = input
  if (secret !== undefined && !(typeof secret === 'string' && (await isCurrentSecret(secret, client)))) {
    throw invalidMetadata('client_secret is not the current one')
  }
  return parseClientMetadata(input, ['authorization_code'], rules)
}

async function isCurrentSecret(secret: string, { secretHash }: Client): Promise<boolean> {
  return secretHash !== undefined && isEqualInConstantTime(await sha256(secret), secretHash)
}

const invalidMetadata = (description: string) => new OAuthError('invalid_client_metadata', description)
