import { Refusal } from './refusal.ts'

/**
 * Header fields as they came, before a framework merged them: a `Headers` object, or name/value pairs, flat
 * (`req.rawHeaders` of Node) or nested (`[['Authorization', '…']]`). Node's `req.headers` will not do: it has silently
 * dropped the second of two `Authorization` fields.
 */
export type RequestHeaders = Headers | readonly string[] | readonly (readonly [name: string, value: string])[]

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
  if (!Array.isArray(headers)) {
    if (typeof (headers as Headers).get !== 'function') {
      throw new TypeError('headers: expected a Headers object or an array of raw names and values')
    }
    const authorization = (headers as Headers).get('authorization')
    const dpop = (headers as Headers).get('dpop')
    return {
      authorization: authorization === null ? NONE : [authorization],
      dpop: dpop === null ? NONE : [dpop],
    }
  }
  return typeof headers[0] === 'string' ? readFlat(headers) : readNested(headers)
}

function readFlat(pairs: readonly string[]): CredentialFields {
  let authorization = NONE
  let dpop = NONE
  for (let i = 0; i + 1 < pairs.length; i += 2) {
    const name = pairs[i] as string
    if (isField(name, 'authorization')) authorization = [...authorization, pairs[i + 1] as string]
    else if (isField(name, 'dpop')) dpop = [...dpop, pairs[i + 1] as string]
  }
  return { authorization, dpop }
}

function readNested(pairs: readonly (readonly [string, string])[]): CredentialFields {
  const values = (field: string) => pairs.filter(([name]) => isField(name, field)).map(([, value]) => value)
  return { authorization: values('authorization'), dpop: values('dpop') }
}

function isField(name: string, field: string): boolean {
  return name.length === field.length && (name === field || name.toLowerCase() === field)
}

/**
 * The path of the request target, without query, undecoded. Only the configured public origin says where the resource
 * lives: a target that names another host (absolute-form) or could be read as one (`//host`) is ambiguous.
 */
export function parseTargetPath(target: string, publicOrigin: string): string {
  const path = target.charCodeAt(0) === 0x2f ? target : withoutOrigin(target, publicOrigin)
  if (path === undefined || path.startsWith('//')) throw new Refusal('target_ambiguous')
  const end = path.search(/[?#]/)
  return end === -1 ? path : path.slice(0, end)
}

function withoutOrigin(target: string, publicOrigin: string): string | undefined {
  const match = /^(https?:\/\/[^/?#\\]*)(.*)$/i.exec(target)
  if (match?.[1]?.toLowerCase() !== publicOrigin) return undefined
  const path = match[2] ?? ''
  return path.startsWith('/') ? path : `/${path}`
}

/** A CORS preflight (Fetch §3.2.2): browsers send it without credentials, so it is never authenticated. */
export function isPreflight(request: GuardRequest): boolean {
  if (request.method !== 'OPTIONS') return false
  return hasField(request.headers, 'origin') && hasField(request.headers, 'access-control-request-method')
}

function hasField(headers: RequestHeaders, field: string): boolean {
  if (!Array.isArray(headers)) return (headers as Headers).has(field)
  return headers.some((entry, i) =>
    typeof entry === 'string' ? i % 2 === 0 && isField(entry, field) : isField(entry[0], field),
  )
}
