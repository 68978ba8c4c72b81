import { AgentError, isRecord, quoted } from './errors.ts'
import type { Fetch } from './fetch.ts'
import { exchangeJson } from './json-exchange.ts'
import { parseHttpUrl } from './request-target.ts'

/** The members of RFC 8414 metadata that this package reads. Endpoints are absolute http(s) URLs. */
export interface AuthorizationServerMetadata {
  readonly issuer: string
  readonly token_endpoint: string
  readonly authorization_endpoint?: string
  readonly registration_endpoint?: string
  readonly revocation_endpoint?: string
  readonly introspection_endpoint?: string
  readonly scopes_supported?: readonly string[]
  readonly token_endpoint_auth_methods_supported?: readonly string[]
  readonly dpop_signing_alg_values_supported?: readonly string[]
}

const OPTIONAL_ENDPOINTS = [
  'authorization_endpoint',
  'registration_endpoint',
  'revocation_endpoint',
  'introspection_endpoint',
] as const

const LISTS = [
  'scopes_supported',
  'token_endpoint_auth_methods_supported',
  'dpop_signing_alg_values_supported',
] as const

/**
 * An issuer's metadata: RFC 8414 first, then OpenID Connect Discovery with the path inserted, then appended, which is
 * MCP's order. Throws {@link AgentError} when there is none, or when it names another issuer (RFC 8414 §3.3);
 * `aliases` are other spellings of the issuer that are as good.
 */
export async function discoverAuthorizationServer(
  fetchFn: Fetch,
  issuer: string,
  aliases: readonly string[] = [],
): Promise<AuthorizationServerMetadata> {
  const url = parseHttpUrl(issuer, 'issuer')
  if (issuer.includes('?') || issuer.includes('#')) {
    throw new AgentError('configuration', 'issuer must be a URL without query and fragment')
  }
  const path = url.pathname.replace(/\/$/, '')
  const candidates = [
    `/.well-known/oauth-authorization-server${path}`,
    `/.well-known/openid-configuration${path}`,
    `${path}/.well-known/openid-configuration`,
  ]
  for (const candidate of new Set(candidates)) {
    const headers = { accept: 'application/json' }
    const { status, body } = await exchangeJson(fetchFn, url.origin + candidate, { headers }, 10)
    if (status === 200 && isRecord(body)) {
      return parseMetadata(body, aliases.find((alias) => alias === body.issuer) ?? issuer)
    }
  }
  throw new AgentError('discovery', `${issuer} publishes no authorization server metadata (RFC 8414)`)
}

function parseMetadata(document: Record<string, unknown>, issuer: string): AuthorizationServerMetadata {
  if (document.issuer !== issuer) {
    const message = `the metadata found for ${issuer} is about another issuer, ${quoted(document.issuer)}`
    throw new AgentError('discovery', `${message}; use its identifier exactly as published`)
  }
  const endpoint = (name: string): string => parseEndpoint(document[name], name, issuer)
  return {
    issuer,
    token_endpoint: endpoint('token_endpoint'),
    ...Object.fromEntries(
      OPTIONAL_ENDPOINTS.filter((name) => document[name] !== undefined).map((name) => [name, endpoint(name)]),
    ),
    ...Object.fromEntries(
      LISTS.filter((name) => isStrings(document[name])).map((name) => [name, document[name]]),
    ),
  }
}

function parseEndpoint(value: unknown, name: string, issuer: string): string {
  if (typeof value !== 'string') {
    throw new AgentError('discovery', `the metadata of ${issuer} has no ${name}`)
  }
  requireNoDowngrade(issuer, value, `${name} of ${issuer}`)
  return value
}

/** What an https document points at must be https: or else the network could read what is sent there. */
export function requireNoDowngrade(from: string, to: string, name: string): void {
  const { protocol } = parseHttpUrl(to, name)
  if (protocol === 'http:' && from.startsWith('https:')) {
    throw new AgentError('discovery', `${name} must be an https URL`)
  }
}

export function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}
