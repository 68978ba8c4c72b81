import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { createIssuer, type Issuer } from './issuer.ts'
import type { IssuerOptions } from './options.ts'

export interface StartOptions extends IssuerOptions {
  /** Default 0: any free port. */
  readonly port?: number
  /** Default `127.0.0.1`. */
  readonly host?: string
}

/** An issuer that listens. */
export interface RunningIssuer extends Issuer {
  /** The issuer identifier: where it listens, unless `issuer` was given. */
  readonly url: string
  readonly port: number
  /** Ends open connections and stops listening. */
  close(): Promise<void>
}

/** Starts an issuer on this machine: one line in a test. */
export async function startIssuer(options: StartOptions = {}): Promise<RunningIssuer> {
  const { port = 0, host = '127.0.0.1', ...rest } = options
  const server = createServer()
  await listen(server, port, host)
  const address = server.address() as AddressInfo
  try {
    const issuer = createIssuer({ issuer: `http://${host}:${address.port}`, ...rest })
    server.on('request', getRequestListener(issuer.fetch))
    return { ...issuer, url: issuer.issuer, port: address.port, close: () => close(server) }
  } catch (error) {
    await close(server)
    throw error
  }
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => resolve())
  })
}

function close(server: Server): Promise<void> {
  server.closeAllConnections()
  return new Promise((resolve) => server.close(() => resolve()))
}
