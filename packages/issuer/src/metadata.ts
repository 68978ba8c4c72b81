import { ASSERTION_ALGORITHMS } from './client-assertion.ts'
import { PROOF_ALGORITHMS } from './dpop.ts'
import type { Settings } from './options.ts'
import { AUTH_METHODS, JWT_BEARER } from './registration/client-metadata.ts'
import { statusListUri } from './status-list/endpoint.ts'

const ID_JAG = 'urn:ietf:params:oauth:grant-profile:id-jag'

/** Authorization server metadata, RFC 8414 §2, and what we add to it. */
export function describeIssuer({
  issuer,
  base,
  clientMetadataDocuments,
  grantTypes,
  statusList,
}: Settings): Record<string, unknown> {
  return {
    issuer,
    authorization_endpoint: `${base}/oauth/authorize`,
    token_endpoint: `${base}/oauth/token`,
    jwks_uri: `${base}/.well-known/jwks.json`,
    registration_endpoint: `${base}/oauth/register`,
    revocation_endpoint: `${base}/oauth/revoke`,
    introspection_endpoint: `${base}/oauth/introspect`,
    revocation_list_uri: `${base}/oauth/revocations`,
    ...(statusList === undefined ? {} : { status_list_aggregation_endpoint: statusListUri(issuer) }),
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: grantTypes,
    // Not whose assertions: that is nobody's business (draft-ietf-oauth-identity-assertion-authz-grant §8.4).
    ...(grantTypes.includes(JWT_BEARER) ? { authorization_grant_profiles_supported: [ID_JAG] } : {}),
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    client_id_metadata_document_supported: clientMetadataDocuments !== 'off',
    token_endpoint_auth_methods_supported: AUTH_METHODS,
    token_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
    revocation_endpoint_auth_methods_supported: AUTH_METHODS,
    revocation_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
    introspection_endpoint_auth_methods_supported: AUTH_METHODS.filter((method) => method !== 'none'),
    introspection_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
    dpop_signing_alg_values_supported: PROOF_ALGORITHMS,
  }
}
