import { FetchFailure, fetchText } from './fetch-json.ts'
import { isJsonObject } from './json.ts'
import type { IssuerMetadata } from './keys.ts'

const TIMEOUT = 5
const MAX_BYTES = 256 * 1024
/** Refusals that say nothing about what is there: too slow, too early, too often. */
const NOT_NOW: readonly number[] = [408, 425, 429]

/**
 * Where an issuer's metadata may be, in the order asked: RFC 8414 §3.1 (inserted before the path), then OpenID Connect
 * Discovery §4 (appended to the path).
 */
export function metadataUrls(issuer: string): readonly string[] {
  const { origin, pathname } = new URL(issuer)
  const path = pathname === '/' ? '' : pathname
  return [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}${path.replace(/\/$/, '')}/.well-known/openid-configuration`,
  ]
}

/**
 * Discovers an issuer's metadata. An issuer that publishes none (4xx at every place) is taken to have its keys at
 * `{issuer}/.well-known/jwks.json`; one that does not answer, or not now, is not: that throws. Nor is one that has published some.
 * @param known what it published before
 */
export async function discoverMetadata(
  issuer: string,
  fetchFn: typeof fetch,
  known?: IssuerMetadata,
): Promise<IssuerMetadata> {
  for (const url of metadataUrls(issuer)) {
    const document = await fetchDocument(url, fetchFn)
    if (document === undefined) continue
    // RFC 8414 §3.3: identical, or whoever wrote the document is somebody else.
    if (document.issuer !== issuer) {
      const named = JSON.stringify(document.issuer)?.slice(0, 200)
      throw new FetchFailure(url, `it is about issuer ${named}, not "${issuer}"`)
    }
    if (typeof document.jwks_uri !== 'string') continue
    requireTrustworthy(document.jwks_uri, issuer)
    return document as IssuerMetadata
  }
  return known ?? { issuer, jwks_uri: `${issuer.replace(/\/$/, '')}/.well-known/jwks.json` }
}

async function fetchDocument(url: string, fetchFn: typeof fetch) {
  try {
    const { text } = await fetchText(fetchFn, url, { timeout: TIMEOUT, maxBytes: MAX_BYTES })
    const document: unknown = JSON.parse(text)
    if (!isJsonObject(document)) throw new FetchFailure(url, 'not a JSON object')
    return document
  } catch (error) {
    if (error instanceof FetchFailure) {
      const { status = 0 } = error
      if (status >= 400 && status < 500 && !NOT_NOW.includes(status)) return undefined
      throw error
    }
    throw new FetchFailure(url, 'not JSON', { cause: error })
  }
}

/** What an https issuer says must not lead to where anyone on the way could answer instead. */
function requireTrustworthy(uri: string, issuer: string): void {
  const { protocol } = new URL(uri, 'invalid://')
  if (protocol === 'https:' || (protocol === 'http:' && issuer.startsWith('http:'))) return
  throw new FetchFailure(uri, 'jwks_uri must be https')
}
