import type { Context } from 'hono'
import { invalidRequest, OAuthError } from './errors.ts'

const MAX_BODY = 64 * 1024

/** A form, each parameter with all its values. */
export type Form = ReadonlyMap<string, readonly string[]>

/**
 * Reads a form body. A parameter without a value counts as absent, and one that is repeated, `resource` and `audience`
 * apart, is an error (RFC 6749 §3.2).
 */
export async function readForm(c: Context): Promise<Form> {
  requireMediaType(c, 'application/x-www-form-urlencoded')
  const form = new Map<string, string[]>()
  for (const [name, value] of new URLSearchParams(await readText(c.req.raw.body, MAX_BODY))) {
    if (value === '') continue
    const values = form.get(name)
    if (values === undefined) form.set(name, [value])
    else if (name === 'resource' || name === 'audience') values.push(value)
    else throw invalidRequest('A parameter is repeated')
  }
  return form
}

/** @param maxSize bytes */
export async function readJson(c: Context, maxSize = MAX_BODY): Promise<Readonly<Record<string, unknown>>> {
  requireMediaType(c, 'application/json')
  return parseObject(await readText(c.req.raw.body, maxSize))
}

/** The same, and nothing where nothing came, of whatever type. */
export async function readOptionalJson(c: Context): Promise<Readonly<Record<string, unknown>>> {
  const text = await readText(c.req.raw.body, MAX_BODY)
  if (text === '') return {}
  requireMediaType(c, 'application/json')
  return parseObject(text)
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw invalidRequest('The body must be a JSON object')
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>
  throw invalidRequest('The body must be a JSON object')
}

function requireMediaType(c: Context, expected: string): void {
  const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase()
  if (type !== expected) throw invalidRequest(`Content-Type must be ${expected}`)
}

/** A whole body as text. @throws OAuthError 413, without reading further, when it has more bytes than that */
export async function readText(body: ReadableStream<Uint8Array> | null, maxSize: number): Promise<string> {
  const reader = body?.getReader()
  if (reader === undefined) return ''
  const decoder = new TextDecoder()
  let text = ''
  let size = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return text + decoder.decode()
    size += value.byteLength
    if (size > maxSize) {
      await reader.cancel()
      throw new OAuthError('invalid_request', 'The body is too large', { status: 413 })
    }
    text += decoder.decode(value, { stream: true })
  }
}

/** RFC 6749 §5.1: what carries a secret must not be kept. */
export function uncacheable(c: Context): void {
  c.header('Cache-Control', 'no-store')
  c.header('Pragma', 'no-cache')
}
