import { bufferedBody, type RequestBody, streamedBody } from './request-body.ts'

/** A request that can be sent, refused, and sent again. */
export interface Call {
  readonly url: URL
  readonly method: string
  readonly headers: Headers
  readonly body: RequestBody | undefined
  /** The caller's other fetch options. */
  readonly init: RequestInit
}

/** Reads fetch's arguments as fetch does. Throws its `TypeError` for what it would refuse. */
export async function createCall(input: string | URL | Request, init: RequestInit = {}): Promise<Call> {
  const { body, method: _method, headers: _headers, ...rest } = init
  // Its own signal would follow the caller's for as long as that lives.
  const request = new Request(input, { ...init, signal: null })
  const signal = init.signal ?? (input instanceof Request ? input.signal : null)
  return {
    url: new URL(request.url),
    method: request.method,
    headers: request.headers,
    body: await createBody(request, body),
    init: { ...rest, redirect: request.redirect, signal },
  }
}

async function createBody(request: Request, source: RequestInit['body']): Promise<RequestBody | undefined> {
  if (request.body === null) return undefined
  const inMemory =
    typeof source === 'string' ||
    source instanceof ArrayBuffer ||
    ArrayBuffer.isView(source) ||
    source instanceof URLSearchParams ||
    source instanceof FormData
  if (inMemory) return bufferedBody(new Uint8Array(await request.arrayBuffer()))
  return streamedBody(request.body)
}
