import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { htmOf, htuOf } from '../src/request-target.ts'
import { listen, type TestServer } from './support/http.ts'

describe('htu', () => {
  it.each([
    ['https://h.example/a?b=c#d', 'https://h.example/a'],
    ['HTTPS://H.EXAMPLE:443/a', 'https://h.example/a'],
    ['http://h.example:80', 'http://h.example/'],
    ['http://h.example:8080/', 'http://h.example:8080/'],
    ['https://h.example/a/../b/./c', 'https://h.example/b/c'],
    ['https://h.example/a/%2E%2e/b', 'https://h.example/b'],
    ['https://h.example/%7euser/%C3%A9', 'https://h.example/%7euser/%C3%A9'],
    ['https://h.example/é /', 'https://h.example/%C3%A9%20/'],
    ['https://h.example/mcp/', 'https://h.example/mcp/'],
    ['https://[2001:DB8::1]/x', 'https://[2001:db8::1]/x'],
    ['https://h.example//x', 'https://h.example//x'],
  ])('of %s is %s', (url, htu) => {
    expect(htuOf(url)).toBe(htu)
    expect(htuOf(new URL(url))).toBe(htu)
  })

  it.each(['/relative', 'ftp://h.example/', 'https://user:pw@h.example/', ''])(
    'does not exist for %j',
    (url) => {
      expect(() => htuOf(url)).toThrow(/url must be an/)
    },
  )
})

describe('what fetch sends', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await listen((_, { request }) => ({
      headers: { sent: `${request.method} ${request.url?.replace(/\?.*/, '')}` },
    }))
  })
  afterAll(() => server.close())

  it('is what htu says, whatever the path', async () => {
    const part = fc.stringMatching(/^[a-z0-9.%~é \\;=@:?#[\]]{0,6}$/)
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 4 }), async (parts) => {
        const url = `${server.url}/${parts.join('/')}`
        const { headers } = await fetch(url)
        expect(htuOf(url)).toBe(server.url + headers.get('sent')?.replace('GET ', ''))
      }),
      { numRuns: 60 },
    )
  })

  it.each(['get', 'Post', 'patch', 'PATCH', 'delete', 'OPTIONS', 'pUt', 'query'])(
    'is what htm says for %s',
    async (method) => {
      const { headers } = await fetch(server.url, { method }).catch(() => ({ headers: new Headers() }))
      // Node's parser refuses methods it does not know; those never reach a server.
      if (headers.has('sent')) expect(headers.get('sent')).toBe(`${htmOf(method)} /`)
      else expect(htmOf(method).toUpperCase()).toBe(method.toUpperCase())
    },
  )

  it('is refused for what is no method', () => {
    for (const method of ['', 'GET ', 'GE\nT', 'é']) expect(() => htmOf(method)).toThrow(/method must be/)
  })
})
