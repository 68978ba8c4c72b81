import { PROOF_ALGORITHMS } from './dpop.ts'
import type { Settings } from './options.ts'
import { AUTH_METHODS, GRANT_TYPES } from './registration/client-metadata.ts'

/** Authorization server metadata, RFC 8414 §2, and what we add to it. */
export function describeIssuer({ issuer, clientMetadataDocuments }: Settings): Record<string, unknown> {
  const base = issuer.replace(/\/$/, '')
  return {
    issuer,
    authorization_endpoint: `${base}/oauth/authorize`,
    token_endpoint: `${base}/oauth/token`,
    jwks_uri: `${base}/.well-known/jwks.json`,
    registration_endpoint: `${base}/oauth/register`,
    revocation_endpoint: `${base}/oauth/revoke`,
    introspection_endpoint: `${base}/oauth/introspect`,
    revocation_list_uri: `${base}/oauth/revocations`,
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: GRANT_TYPES.filter((grant) => grant === 'client_credentials'),
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    client_id_metadata_document_supported: clientMetadataDocuments !== 'off',
    token_endpoint_auth_methods_supported: AUTH_METHODS.filter((method) => method !== 'private_key_jwt'),
    scopes_supported: [],
    dpop_signing_alg_values_supported: PROOF_ALGORITHMS,
  }
}
