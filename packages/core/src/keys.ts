/** The members of authorization server metadata that the guard reads, RFC 8414 §2. */
export interface IssuerMetadata {
  readonly issuer: string
  readonly jwks_uri?: string
  readonly introspection_endpoint?: string
  /** Our issuer's revocation list; see `revocationList()`. */
  readonly revocation_list_uri?: string
  /** draft-ietf-oauth-status-list §9.3 */
  readonly status_list_aggregation_endpoint?: string
  readonly [member: string]: unknown
}
