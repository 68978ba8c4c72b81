import { OAuthError } from '../errors.ts'

const invalidDocument = (description: string) => new OAuthError('invalid_client_metadata', description)

/** Members that would be secrets known to everybody who reads the document (§4.1). */
const FORBIDDEN = ['client_secret', 'client_secret_expires_at', 'registration_access_token']

/**
 * A Client ID Metadata Document (draft-ietf-oauth-client-id-metadata-document §4) → the metadata of a client.
 * @param clientId the URL that it was fetched from, and must name
 * @throws OAuthError saying what is wrong with it
 */
export function parseDocument(clientId: string, text: string): Readonly<Record<string, unknown>> {
  const document = parseObject(text)
  if (document.client_id !== clientId) throw invalidDocument('client_id is not the URL of the document')
  if (FORBIDDEN.some((name) => name in document)) throw invalidDocument('The document holds a secret')
  const authMethod = document.token_endpoint_auth_method ?? 'none'
  if (authMethod !== 'none' && authMethod !== 'private_key_jwt') {
    throw invalidDocument('token_endpoint_auth_method must be none or private_key_jwt')
  }
  if (!Array.isArray(document.redirect_uris) || document.redirect_uris.length === 0) {
    throw invalidDocument('redirect_uris is required')
  }
  return { ...document, token_endpoint_auth_method: authMethod }
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>
    }
  } catch {}
  throw invalidDocument('The document is not a JSON object')
}
