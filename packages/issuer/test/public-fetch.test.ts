import { createServer, type Server } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
// Alone: the HTTP server of the issuer replaces `Response` by one that takes any status.
import { publicFetch } from '../src/public-fetch/node.ts'

vi.mock('node:dns/promises', async (original) => {
  const real = await original<typeof import('node:dns/promises')>()
  const lookup = (name: string, options: object) =>
    name === 'silent.test' ? new Promise(() => undefined) : real.lookup(name, options)
  return { ...real, lookup }
})

let server: Server
let answer: string
let url: URL

beforeEach(async () => {
  server = createServer((socket) => {
    socket.on('error', () => undefined).once('data', () => socket.end(answer))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = new URL(`http://127.0.0.1:${(server.address() as { port: number }).port}/x`)
})
afterEach(() => server.close())

const fetched = (where = url) => publicFetch(where, { loopback: true, signal: AbortSignal.timeout(500) })

describe('what a stranger answers', () => {
  it('is a response', async () => {
    answer = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}'
    const response = await fetched()
    expect([response.status, await response.text()]).toEqual([200, '{}'])
  })

  it.each([
    ['with a status that is none', 'HTTP/1.1 999 Odd\r\ncontent-length: 2\r\n\r\n{}'],
    ['as an upgrade', 'HTTP/1.1 101 Odd\r\nconnection: upgrade\r\nupgrade: odd\r\n\r\n'],
    ['with nothing', ''],
  ])('%s fails the fetch alone', async (_how, text) => {
    answer = text
    await expect(fetched()).rejects.toThrow()
  })

  it('is not waited for where the look-up of the name never ends', async () => {
    await expect(fetched(new URL('http://silent.test/x'))).rejects.toThrow('timeout')
  })
})
