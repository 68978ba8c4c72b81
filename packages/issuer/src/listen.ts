import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { createIssuer, type Issuer } from './issuer.ts'
import type { IssuerOptions } from './options.ts'

const LOOPBACK = '127.0.0.1'

/** {@link IssuerOptions}, and where to listen. */
export interface StartOptions extends IssuerOptions {
  /** Default 0: any free port. */
  readonly port?: number
  /** Default `127.0.0.1`. `localhost` is that address, under the name that guards look for an issuer by default. */
  readonly host?: string
}

/** An issuer that listens. */
export interface RunningIssuer extends Issuer {
  /** The issuer identifier: where it listens, unless `issuer` was given. */
  readonly url: string
  readonly port: number
  /**
   * Stops listening and ends open connections.
   * @param grace seconds for which requests under way may go on; default 0. Those that wait for revocations end at once
   */
  close(grace?: number): Promise<void>
}

/** Starts an issuer on this machine: one line in a test. */
export async function startIssuer(options: StartOptions = {}): Promise<RunningIssuer> {
  const { port = 0, host = LOOPBACK, issuer: identifier, clientAddress, ...rest } = options
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new TypeError('issuer: port: expected 0 to 65535')
  }
  const server = createServer()
  // Not ::1, which the name may also mean: who looks for localhost tries both, who looks for 127.0.0.1 only that.
  await listen(server, port, host === 'localhost' ? LOOPBACK : host)
  const address = server.address() as AddressInfo
  const addresses = new WeakMap<Request, string | undefined>()
  const underWay = new Set<Promise<unknown>>()
  try {
    const issuer = createIssuer({
      ...rest,
      issuer: identifier ?? `http://${reachable(host)}:${address.port}`,
      clientAddress: clientAddress ?? ((request) => addresses.get(request)),
    })
    const listener = getRequestListener((request, { incoming }) => {
      addresses.set(request, incoming.socket.remoteAddress)
      return issuer.fetch(request)
    })
    server.on('request', (incoming, outgoing) => {
      if (incoming.url?.includes('/oauth/revocations')) return void listener(incoming, outgoing)
      const ended = new Promise((resolve) => outgoing.once('close', resolve))
      underWay.add(ended)
      void ended.then(() => underWay.delete(ended))
      void listener(incoming, outgoing)
    })
    return {
      ...issuer,
      url: issuer.issuer,
      port: address.port,
      close: (grace = 0) => close(server, underWay, grace),
    }
  } catch (error) {
    await close(server, underWay, 0)
    throw error
  }
}

/** The host of a URL: of what listens everywhere, this machine. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost'
  return host.includes(':') ? `[${host}]` : host
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => resolve())
  })
}

async function close(server: Server, underWay: ReadonlySet<Promise<unknown>>, grace: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  if (grace > 0 && underWay.size > 0) {
    let timer: NodeJS.Timeout | undefined
    const timeout = new Promise((resolve) => {
      timer = setTimeout(resolve, grace * 1000)
    })
    await Promise.race([Promise.all(underWay), timeout])
    clearTimeout(timer)
  }
  server.closeAllConnections()
  await closed
}
