/** As much as the SDK's own handlers read. */
const MAX_BODY = 4 * 1024 * 1024

/** A request body, read and parsed; or the answer to one that cannot be. */
export type ReadBody =
  | { readonly ok: true; readonly body: unknown; readonly request: Request }
  | { readonly ok: false; readonly answer: Response }

/**
 * Reads a JSON body once, so that what is checked is what is handed on: `undefined` where there is none. The request that is
 * returned can be read again.
 * @param parsedBody the body, where the host has parsed it already
 */
export async function readBody(request: Request, parsedBody: unknown): Promise<ReadBody> {
  if (parsedBody !== undefined) return { ok: true, body: parsedBody, request }
  if (request.body === null) return { ok: true, body: undefined, request }
  const bytes = await readBounded(request.body)
  if (bytes === undefined) return { ok: false, answer: rpcError(413, -32600, 'The body is too large') }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    const body: unknown = text === '' ? undefined : JSON.parse(text)
    return { ok: true, body, request: new Request(request, { body: bytes }) }
  } catch {
    return { ok: false, answer: rpcError(400, -32700, 'The body is not JSON') }
  }
}

async function readBounded(body: ReadableStream<Uint8Array>): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const chunks: Uint8Array[] = []
  let size = 0
  const reader = body.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    size += value.length
    if (size > MAX_BODY) {
      await reader.cancel()
      return undefined
    }
    chunks.push(value)
  }
  const whole = new Uint8Array(size)
  let offset = 0
  for (const chunk of chunks) {
    whole.set(chunk, offset)
    offset += chunk.length
  }
  return whole
}

/** A JSON-RPC error to no request in particular: nothing of what was sent comes back. */
export function rpcError(status: number, code: number, message: string): Response {
  return Response.json({ jsonrpc: '2.0', error: { code, message }, id: null }, { status })
}
