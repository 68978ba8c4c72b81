import { connect } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Exchange } from '../support/exchange.ts'
import { HOSTS } from '../support/hosts.ts'

let exchange: Exchange
beforeAll(async () => {
  exchange = await Exchange.start()
})
afterAll(() => exchange.close())

it.each(Object.entries(HOSTS))('%s refuses an upload before it has been sent', async (_name, start) => {
  const host = await start(exchange.resource, { issuer: exchange.issuer })
  const socket = connect(host.port, '127.0.0.1')
  try {
    const head = [
      'POST /mcp HTTP/1.1',
      'Host: a',
      'Content-Type: application/json',
      'Content-Length: 100000000',
    ]
    // The body never ends: only an answer that does not wait for it can arrive.
    socket.write(`${head.join('\r\n')}\r\n\r\n[`)
    const answer = await new Promise<Buffer>((resolve, reject) =>
      socket.once('data', resolve).once('error', reject),
    )
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 401 /)
    expect(host.runs()).toBe(0)
  } finally {
    socket.destroy()
    await host.close()
  }
})
