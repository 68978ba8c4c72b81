import { createServer, type Server } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { createIssuer } from '../src/index.ts'
import { publicFetch as fetchOnNode } from '../src/public-fetch/node.ts'
import { isPublicAddress } from '../src/public-fetch/public-address.ts'
import { publicFetch as fetchElsewhere } from '../src/public-fetch/web.ts'
import { documentOf, json, startDocuments } from './support/documents.ts'

const names = vi.hoisted(() => new Map<string, string[][]>())
vi.mock('node:dns/promises', async (original) => {
  const real = await original<typeof import('node:dns/promises')>()
  return {
    ...real,
    async lookup(name: string, options: object) {
      const answers = names.get(name)
      if (answers === undefined) return real.lookup(name, options)
      const addresses = answers.length > 1 ? answers.shift()! : answers[0]!
      return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
    },
  }
})

let inside: Server
let port: number
let knocks = 0

beforeAll(async () => {
  inside = createServer((socket) => {
    knocks++
    socket.destroy()
  })
  await new Promise<void>((resolve) => inside.listen(0, '0.0.0.0', resolve))
  port = (inside.address() as { port: number }).port
})
afterAll(() => inside.close())
beforeEach(() => {
  knocks = 0
  names.clear()
})

const signal = () => AbortSignal.timeout(2000)

describe('addresses that only we can reach', () => {
  it.each([
    '127.0.0.1',
    '127.255.255.254',
    '0.0.0.0',
    '10.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '100.127.255.255',
    '192.0.0.8',
    '192.0.2.1',
    '198.18.0.1',
    '198.51.100.1',
    '203.0.113.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    'fe80::1',
    'fe80::1%eth0',
    'fc00::1',
    'fd12:3456::1',
    'ff02::1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '::ffff:7f00:1',
    '64:ff9b::7f00:1',
    '64:ff9b::808:808',
    '2002:7f00:1::',
    '2001::1',
    '2001:db8::1',
    '::127.0.0.1',
    'not an address',
    '',
  ])('%s is one', (address) => {
    expect(isPublicAddress(address)).toBe(false)
  })

  it.each(['8.8.8.8', '1.1.1.1', '172.32.0.1', '100.128.0.1', '2606:4700:4700::1111', '2a00:1450::1'])(
    '%s is none',
    (address) => {
      expect(isPublicAddress(address)).toBe(true)
    },
  )
})

describe('a client id that is the URL of something inside', () => {
  const log: string[] = []
  const { fetch } = createIssuer({ autoApprove: true, log: (event) => void log.push(JSON.stringify(event)) })
  const open = async (clientId: string) => {
    const query = new URLSearchParams({ client_id: clientId, response_type: 'code' })
    return fetch(new Request(`http://localhost:8080/oauth/authorize?${query}`))
  }

  it.each([
    'https://127.0.0.1:PORT/x',
    'https://localhost:PORT/x',
    'https://[::1]:PORT/x',
    'https://0.0.0.0:PORT/x',
    'https://[::ffff:127.0.0.1]:PORT/x',
    'https://[::ffff:7f00:1]:PORT/x',
    'https://2130706433:PORT/x',
    'https://0x7f.1:PORT/x',
    'https://127.1:PORT/x',
    'https://public.test:PORT/x',
    'https://mixed.test:PORT/x',
    'http://public.test:PORT/x',
    'http://127.0.0.1:PORT/x',
    'https://a@127.0.0.1:PORT/x',
    'https://169.254.169.254/latest',
    'https://10.0.0.1/x',
    'https://[fd00::1]/x',
    'ftp://127.0.0.1:PORT/x',
    'file:///etc/passwd',
    'https://127.0.0.1:PORT',
    'https://127.0.0.1:PORT/a/../x',
    'https://127.0.0.1:PORT/x#y',
    'HTTPS://127.0.0.1:PORT/x',
  ])('reaches nothing: %s [MCP-A9]', async (template) => {
    names.set('public.test', [['127.0.0.1']])
    names.set('mixed.test', [['93.184.216.34', '127.0.0.1']])
    const answer = await open(template.replace('PORT', String(port)))
    expect(answer.status).toBe(400)
    expect(knocks).toBe(0)
  })

  it('is refused with the same page whatever was there, and the log says why', async () => {
    names.set('nowhere.test', [['127.0.0.1']])
    names.set('private.test', [['10.0.0.1']])
    const texts = await Promise.all(
      ['https://nowhere.test/x', 'https://private.test/x', `https://localhost:${port}/x`].map(async (id) => {
        return (await (await open(id)).text()).replaceAll(/nonce="[^"]+"/g, '')
      }),
    )
    expect(new Set(texts).size).toBe(1)
    expect(log.join('\n')).toContain('private.test is at 10.0.0.1')
  })
})

describe('a name that changes its mind', () => {
  it('is resolved once, and the address that was checked is the one connected to', async () => {
    const first = await startDocuments('127.0.0.1')
    first.answer = json(documentOf('x'))
    const there = new URL(`http://rebind.test:${new URL(first.origin).port}/x`)
    names.set('rebind.test', [['127.0.0.1'], ['127.0.0.2']])
    const response = await fetchOnNode(there, { loopback: true, signal: signal() })
    expect(response.status).toBe(200)
    expect(first.seen[0]!.headers.host).toBe(there.host)
    await first.close()
  })

  it.each([
    ['private', ['10.0.0.1']],
    ['of this machine and private', ['127.0.0.1', '10.0.0.1']],
    ['public, by http', ['93.184.216.34']],
  ])('to %s is not reached by a test issuer either', async (_name, addresses) => {
    names.set('odd.test', [addresses])
    const fetched = fetchOnNode(new URL(`http://odd.test:${port}/x`), { loopback: true, signal: signal() })
    await expect(fetched).rejects.toThrow('is at')
    expect(knocks).toBe(0)
  })

  it('or has several addresses is reached at the first that answers', async () => {
    const server = await startDocuments('127.0.0.2')
    server.answer = json({})
    names.set('two.test', [['127.0.0.3', '127.0.0.2']])
    const url = new URL(`http://two.test:${new URL(server.origin).port}/x`)
    expect((await fetchOnNode(url, { loopback: true, signal: signal() })).status).toBe(200)
    await server.close()
    await expect(fetchOnNode(url, { loopback: true, signal: signal() })).rejects.toThrow('ECONNREFUSED')
  })
})

describe('where names cannot be resolved first', () => {
  it.each([
    'https://127.0.0.1:PORT/x',
    'https://[::1]:PORT/x',
    'https://93.184.216.34/x',
    'https://localhost:PORT/x',
    'https://x.localhost:PORT/x',
    'https://printer.local/x',
    'https://db.internal/x',
    'https://intranet/x',
    'http://client.example/x',
    'https://localhost.:PORT/x',
  ])('addresses and local names are refused: %s', async (template) => {
    const url = new URL(template.replace('PORT', String(port)))
    await expect(fetchElsewhere(url, { loopback: false, signal: signal() })).rejects.toMatchObject({
      name: 'UnreachableByPolicy',
    })
    expect(knocks).toBe(0)
  })

  it('redirects are not followed', async () => {
    const server = await startDocuments()
    server.answer = (_request, response) =>
      response.writeHead(302, { location: `http://127.0.0.1:${port}/` }).end()
    const response = await fetchElsewhere(new URL(`${server.origin}/x`), { loopback: true, signal: signal() })
    expect(response.status).toBe(302)
    expect(knocks).toBe(0)
    await server.close()
  })
})
