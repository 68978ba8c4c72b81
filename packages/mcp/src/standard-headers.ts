import { rpcError } from './body.ts'
import { asRecord } from './operations.ts'

/** `HeaderMismatch` of MCP 2026-07-28. */
const HEADER_MISMATCH = -32020

/** What `Mcp-Name` repeats, by method. */
const NAME_MEMBERS = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
  ['tasks/get', 'taskId'],
  ['tasks/update', 'taskId'],
  ['tasks/cancel', 'taskId'],
])

/**
 * `Mcp-Method` and `Mcp-Name` repeat what the body says, for proxies that route and count by them. Where they say something
 * else, somebody in between has decided about another request than this one: `400`. Absent, they are nobody's lie.
 */
export function headerMismatch(headers: Headers, body: unknown): Response | undefined {
  const { method, params } = asRecord(body)
  const methodHeader = headers.get('mcp-method')
  if (methodHeader !== null && methodHeader !== method) return mismatch()
  const nameHeader = headers.get('mcp-name')
  const member = NAME_MEMBERS.get(method as string)
  if (nameHeader === null || member === undefined) return undefined
  return decodeSentinel(nameHeader) === asRecord(params)[member] ? undefined : mismatch()
}

function mismatch(): Response {
  return rpcError(400, HEADER_MISMATCH, 'Mcp-Method or Mcp-Name differs from the body')
}

/** Text that no header field can carry comes as `=?base64?…?=` (SEP-2243). */
function decodeSentinel(value: string): string | undefined {
  const base64 = /^=\?base64\?(.*)\?=$/.exec(value)?.[1]
  if (base64 === undefined) return value
  try {
    const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}
