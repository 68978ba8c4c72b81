/** As much as the SDK's own Node adapter reads. */
const MAX_BODY = 4 * 1024 * 1024

/** A request body, read and parsed; or the answer to one that cannot be. */
export type ReadBody =
  | { readonly ok: true; readonly body: unknown; readonly request: Request }
  | { readonly ok: false; readonly answer: Response }

/** Reads a JSON body, so that what is checked is what is handed on. The request that is returned can be read again. */
export async function readBody(request: Request): Promise<ReadBody> {
  const bytes = await readBounded(request)
  if (bytes === undefined) return { ok: false, answer: rpcError(413, -32600, 'The body is too large') }
  try {
    const body: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    return { ok: true, body, request: new Request(request, { body: bytes }) }
  } catch {
    return { ok: false, answer: rpcError(400, -32700, 'The body is not JSON') }
  }
}

async function readBounded(request: Request): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const reader = request.body?.getReader()
  const chunks: Uint8Array[] = []
  let size = 0
  while (reader !== undefined) {
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

export function rpcError(status: number, code: number, message: string): Response {
  return Response.json({ jsonrpc: '2.0', error: { code, message }, id: null }, { status })
}
