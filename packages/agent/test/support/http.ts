import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Exchange {
  method: string
  url: URL
  headers: Headers
  body: string
}

export interface Answer {
  status?: number
  headers?: Record<string, string>
  json?: unknown
  text?: string
}

export interface TestServer {
  url: string
  /** Every request that came, in order. */
  seen: Exchange[]
  close(): Promise<void>
}

/** A real server on 127.0.0.1 that answers what `handle` says. An answer of undefined is a 404. */
export async function listen(
  handle: (
    exchange: Exchange,
    raw: { request: IncomingMessage; response: ServerResponse },
  ) => Answer | undefined | Promise<Answer | undefined>,
): Promise<TestServer> {
  const seen: Exchange[] = []
  let base = ''
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const exchange: Exchange = {
      method: request.method ?? '',
      url: new URL(base + request.url),
      headers: new Headers(
        Object.entries(request.headersDistinct).map(([name, values = []]) => [name, values.join(', ')]),
      ),
      body: Buffer.concat(chunks).toString(),
    }
    seen.push(exchange)
    const {
      status = 200,
      headers = {},
      json,
      text,
    } = (await handle(exchange, { request, response })) ?? { status: 404 }
    if (response.headersSent) return
    const type = json === undefined ? {} : { 'content-type': 'application/json' }
    response.writeHead(status, { ...type, ...headers }).end(json === undefined ? text : JSON.stringify(json))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: base,
    seen,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
