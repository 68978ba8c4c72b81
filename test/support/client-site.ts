import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Where users come back to: a client that shows what it was told. */
export interface ClientSite {
  readonly origin: string
  /** Parameters of the requests that came to `/callback`. */
  readonly answers: Record<string, string>[]
  /** Pages by path; `/callback` says what it was told unless it is here. */
  readonly pages: Map<
    string,
    { readonly status?: number; readonly headers?: Record<string, string>; readonly body?: string }
  >
  readonly referrers: (string | undefined)[]
  close(): Promise<void>
}

export async function startClientSite(host = '127.0.0.1'): Promise<ClientSite> {
  const answers: Record<string, string>[] = []
  const referrers: (string | undefined)[] = []
  const pages: ClientSite['pages'] = new Map()
  const server = createServer((request: IncomingMessage, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://client')
    if (pathname === '/callback') {
      answers.push(Object.fromEntries(searchParams))
      referrers.push(request.headers.referer)
    }
    const {
      status = 200,
      headers = {},
      body = '',
    } = pages.get(pathname) ?? {
      body: `<title>client</title><p id="told">${JSON.stringify(Object.keys(Object.fromEntries(searchParams)))}</p>`,
    }
    response.writeHead(status, { 'content-type': 'text/html', ...headers }).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    answers,
    pages,
    referrers,
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
