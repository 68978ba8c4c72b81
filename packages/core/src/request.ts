import { Refusal } from './refusal.ts'

/**
 * Header fields: a `Headers` object, or names and values as they came, flat (`req.rawHeaders` of Node), in pairs
 * (`[['Authorization', '…']]`) or by name (`req.headersDistinct`). Node's `req.headers` works too, but has silently dropped
 * the second of two `Authorization` fields, so that nobody can notice them: prefer what is raw.
 */
export type RequestHeaders =
  | Headers
  | readonly string[]
  | readonly (readonly [name: string, value: string])[]
  | { readonly [name: string]: string | readonly string[] | undefined }

/** What the guard looks at: four strings of a request, no framework. */
export interface GuardRequest {
  /** The method as it came; methods are case-sensitive (RFC 9110 §9.1). */
  readonly method: string
  /**
   * The request target as it came, undecoded: a path with its query, or an absolute URL at the resource's own public
   * origin. Express: `originalUrl`; Fastify: `raw.url`; Fetch hosts: `request.url` without its origin.
   */
  readonly url: string
  readonly headers: RequestHeaders
}

/** All values of the two fields that carry credentials. */
export interface CredentialFields {
  readonly authorization: readonly string[]
  readonly dpop: readonly string[]
}

const NONE: readonly string[] = []

/** Reads the credential fields out of whatever shape the headers have. */
export function readCredentialFields(headers: RequestHeaders): CredentialFields {
  return { authorization: valuesOf(headers, 'authorization'), dpop: valuesOf(headers, 'dpop') }
}

/** All values of a field, none joined that came apart. */
function valuesOf(headers: RequestHeaders, field: string): readonly string[] {
  if (Array.isArray(headers))
    return typeof headers[0] === 'string' ? inFlat(headers, field) : inPairs(headers, field)
  if (typeof headers !== 'object' || headers === null) {
    throw new TypeError('headers: expected a Headers object, or names and values as they came')
  }
  if (isHeaders(headers)) {
    const value = headers.get(field)
    return value === null ? NONE : [value]
  }
  return inPairs(Object.entries(headers as Record<string, string>), field).flat()
}

function isHeaders(headers: RequestHeaders): headers is Headers {
  return typeof (headers as Headers).get === 'function'
}

function inFlat(pairs: readonly string[], field: string): readonly string[] {
  let values = NONE
  for (let i = 0; i + 1 < pairs.length; i += 2) {
    if (isField(pairs[i] as string, field)) values = [...values, pairs[i + 1] as string]
  }
  return values
}

function inPairs(pairs: readonly (readonly [string, string])[], field: string): readonly string[] {
  return pairs
    .filter(([name, value]) => isField(name, field) && value !== undefined)
    .map(([, value]) => value)
}

function isField(name: string, field: string): boolean {
  return name.length === field.length && (name === field || name.toLowerCase() === field)
}

/**
 * What one router resolves and the next takes as it is: dot segments, backslashes, an empty first segment. A proof for the
 * one path must not open the other; clients resolve all of these before they send (WHATWG URL §4.4).
 */
const AMBIGUOUS_PATH = /^\/\/|\\|\/(?:\.|%2e){1,2}(?:\/|$)/i

/**
 * The path of the request target, without query, undecoded. Only the configured public origin says where the resource
 * lives: a target that names another host (absolute-form) or could be read as one (`//host`) is ambiguous.
 */
export function parseTargetPath(target: string, publicOrigin: string): string {
  const whole = target.charCodeAt(0) === 0x2f ? target : withoutOrigin(target, publicOrigin)
  if (whole === undefined) throw new Refusal('target_ambiguous')
  const end = whole.search(/[?#]/)
  const path = end === -1 ? whole : whole.slice(0, end)
  if (AMBIGUOUS_PATH.test(path)) throw new Refusal('target_ambiguous')
  return path
}

function withoutOrigin(target: string, publicOrigin: string): string | undefined {
  const match = /^(https?:\/\/[^/?#]*)(.*)$/i.exec(target)
  if (match?.[1]?.toLowerCase() !== publicOrigin) return undefined
  const path = match[2] ?? ''
  // Routers differ about `https://host?/path`: some take what stands after the first slash for the path.
  return path === '' ? '/' : path.startsWith('/') ? path : undefined
}

/** A CORS preflight (Fetch §3.2.2): browsers send it without credentials, so it is never authenticated. */
export function isPreflight(request: GuardRequest): boolean {
  if (request.method !== 'OPTIONS') return false
  const has = (field: string) => valuesOf(request.headers, field).length > 0
  return has('origin') && has('access-control-request-method')
}
