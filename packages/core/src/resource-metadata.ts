import type { Settings } from './options.ts'
import type { GuardRequest } from './request.ts'
import type { Answer } from './verdict.ts'

const WELL_KNOWN = '/.well-known/oauth-protected-resource'

/** Protected resource metadata, RFC 9728 §2. */
export interface ResourceMetadata {
  /** Identical to the audience: clients must not use the document otherwise (§3.3). */
  readonly resource: string
  readonly authorization_servers: readonly string[]
  readonly scopes_supported?: readonly string[]
  readonly bearer_methods_supported: readonly string[]
  readonly dpop_signing_alg_values_supported: readonly string[]
  readonly dpop_bound_access_tokens_required: boolean
  readonly [member: string]: unknown
}

export function createResourceMetadata(settings: Settings): ResourceMetadata {
  const scopes = settings.scopes.filter((scope) => scope !== 'offline_access')
  return Object.freeze({
    resource: settings.audience,
    authorization_servers: settings.issuers.map(({ issuer }) => issuer),
    ...(scopes.length > 0 ? { scopes_supported: scopes } : {}),
    bearer_methods_supported: ['header'],
    dpop_signing_alg_values_supported: settings.proofAlgorithms,
    dpop_bound_access_tokens_required: settings.dpop === 'required',
    ...settings.resourceMetadata,
  })
}

/** Where the document is for clients (RFC 9728 §3.1): the well-known string inserted before the resource's path. */
export function resourceMetadataUrl(resource: string): string {
  const { origin, pathname, search } = new URL(resource)
  return `${origin}${WELL_KNOWN}${pathname === '/' ? '' : pathname}${search}`
}

/** Paths that answer with the document. */
export function resourceMetadataPaths(url: string): readonly string[] {
  return [...new Set([new URL(url).pathname, WELL_KNOWN])]
}

/** Anybody may read the document, and a browser's client asks first because of its `MCP-Protocol-Version`. */
const OPEN = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Allow-Methods': 'GET, HEAD, OPTIONS',
  'Access-Control-Allow-Headers': '*',
} as const

/**
 * The answer where the request is for the document, without credentials: at the path with the well-known string inserted,
 * and at the root form, which MCP clients try last.
 */
export function createMetadataRoute(metadata: ResourceMetadata, paths: readonly string[]) {
  const document: Answer = {
    status: 200,
    headers: { 'Content-Type': 'application/json', 'Cache-Control': 'public, max-age=300', ...OPEN },
    body: JSON.stringify(metadata),
  }

  return ({ method, url: target }: GuardRequest): Answer | undefined => {
    const start = target.indexOf(WELL_KNOWN)
    if (start === -1) return undefined
    const path = target.slice(0, target.search(/[?#]|$/))
    if (!paths.includes(path)) return undefined
    if (method === 'GET' || method === 'HEAD') return method === 'GET' ? document : { ...document, body: '' }
    if (method === 'OPTIONS')
      return { status: 204, headers: { ...OPEN, 'Access-Control-Max-Age': '86400' }, body: '' }
    return { status: 405, headers: { Allow: 'GET, HEAD, OPTIONS', ...OPEN }, body: '' }
  }
}
