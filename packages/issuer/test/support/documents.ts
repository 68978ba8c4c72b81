import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface DocumentServer {
  readonly origin: string
  /** Requests that came, by path. */
  readonly seen: IncomingMessage[]
  answer: (request: IncomingMessage, response: ServerResponse) => void
  close(): Promise<void>
}

/** Somebody's web server, on this machine. */
export async function startDocuments(host = '127.0.0.1'): Promise<DocumentServer> {
  const seen: IncomingMessage[] = []
  const server = createServer((request, response) => {
    seen.push(request)
    started.answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  const started: DocumentServer = {
    origin: `http://${host.includes(':') ? `[${host}]` : host}:${(server.address() as AddressInfo).port}`,
    seen,
    answer: (_request, response) => response.writeHead(404).end(),
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
  return started
}

/** Answers with JSON. */
export const json =
  (body: unknown, headers: Record<string, string> = {}) =>
  (_request: IncomingMessage, response: ServerResponse) => {
    response.writeHead(200, { 'content-type': 'application/json', ...headers })
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  }

/** A document that is as it should be, with `changes`. */
export const documentOf = (clientId: string, changes = {}) => ({
  client_id: clientId,
  client_name: 'Document client',
  redirect_uris: ['https://client.example/callback'],
  grant_types: ['authorization_code', 'refresh_token'],
  ...changes,
})
