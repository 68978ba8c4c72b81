import autocannon from 'autocannon'
import { createWorld } from '../world.ts'
import type { LoadOrder, LoadReport } from './protocol.ts'

/** Makes requests, each with a proof of its own, and fires them at a server, in a process of its own. */

const world = await createWorld()
const clients = world.clients(100)
let prepared: Record<string, string>[] = []

process.on('message', (order: LoadOrder) => {
  if (order.kind === 'prepare') {
    prepared = prepare(order.requests)
    report({ kind: 'prepared' })
  } else {
    fire(order.port, order.connections, order.requests).then(report, (error: Error) => {
      console.error(error)
      process.exit(1)
    })
  }
})
process.on('disconnect', () => process.exit())
const { issuer, jwksUri, jwks, algorithm, audience, method, uri, path } = world
report({ kind: 'resource', resource: { issuer, jwksUri, jwks, algorithm, audience, method, uri, path } })

function prepare(count: number) {
  return Array.from({ length: count }, (_, i) => {
    const client = clients[i % clients.length] as (typeof clients)[number]
    return { authorization: `DPoP ${client.token}`, dpop: world.proof(client) }
  })
}

/** Each connection sends its part of the prepared requests, one at a time, each once. */
function fire(port: number, connections: number, count: number): Promise<LoadReport> {
  const each = Math.floor(count / connections)
  const latencies: number[] = []
  let failed = 0
  let connected = 0
  let last = 0
  return new Promise((resolve, reject) => {
    const start = performance.now()
    const cannon = autocannon(
      {
        url: `http://127.0.0.1:${port}${path}`,
        method: method as 'POST',
        connections,
        amount: each * connections,
        sampleInt: 100,
        setupClient(client) {
          const own = prepared.slice(connected * each, ++connected * each)
          client.setRequests(own.map((headers) => ({ method: method as 'POST', path, headers })))
        },
      },
      (error: Error | null) => {
        if (error) return reject(error)
        resolve({ kind: 'fired', seconds: (last - start) / 1000, latencies, failed })
      },
    )
    cannon.on('response', (_, status, __, milliseconds) => {
      last = performance.now()
      if (status !== 200) failed++
      latencies.push(milliseconds)
    })
  })
}

function report(message: LoadReport): void {
  process.send?.(message)
}
