import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isSameTargetUri, normalizeTargetUri } from '../src/dpop/target-uri.ts'

const TARGET = 'https://mcp.example.com/mcp/~tools/a%2Fb'

describe('isSameTargetUri', () => {
  it.each([
    ['the same', TARGET],
    ['a query', `${TARGET}?cursor=1`],
    ['an empty query', `${TARGET}?`],
    ['a fragment', `${TARGET}#x`],
    ['query and fragment', `${TARGET}?a=/b?c#d?e`],
    ['the default port', 'https://mcp.example.com:443/mcp/~tools/a%2Fb'],
    ['an empty port', 'https://mcp.example.com:/mcp/~tools/a%2Fb'],
    ['host and scheme in upper case', 'HTTPS://MCP.Example.COM/mcp/~tools/a%2Fb'],
    ['an unreserved character encoded', 'https://mcp.example.com/mcp/%7Etools/a%2Fb'],
    ['the same in lower-case hex', 'https://mcp.example.com/mcp/%7etools/a%2fb'],
    ['a letter encoded', 'https://mcp.example.com/%6Dcp/~tools/a%2Fb'],
    ['a letter of the host encoded', 'https://%6Dcp.example.com/mcp/~tools/a%2Fb'],
    ['a dot segment', 'https://mcp.example.com/./mcp/~tools/a%2Fb'],
    ['a double dot segment', 'https://mcp.example.com/x/../mcp/~tools/a%2Fb'],
    ['an encoded dot segment', 'https://mcp.example.com/x/%2e%2E/mcp/~tools/a%2Fb'],
    ['dot segments beyond the root', 'https://mcp.example.com/../../mcp/~tools/a%2Fb'],
  ])('accepts %s, the same URI by RFC 3986 §6.2.2 and §6.2.3 [9449-4.3-9]', (_, htu) => {
    expect(isSameTargetUri(htu, TARGET)).toBe(true)
  })

  it.each([
    ['another host', 'https://evil.example/mcp/~tools/a%2Fb'],
    ['a longer host', 'https://mcp.example.com.evil.example/mcp/~tools/a%2Fb'],
    ['a subdomain', 'https://x.mcp.example.com/mcp/~tools/a%2Fb'],
    ['a host with a trailing dot', 'https://mcp.example.com./mcp/~tools/a%2Fb'],
    ['another scheme', 'http://mcp.example.com/mcp/~tools/a%2Fb'],
    ['a WebSocket scheme', 'wss://mcp.example.com/mcp/~tools/a%2Fb'],
    ['another port', 'https://mcp.example.com:8443/mcp/~tools/a%2Fb'],
    ['the default port of the other scheme', 'https://mcp.example.com:80/mcp/~tools/a%2Fb'],
    ['a port with a leading zero', 'https://mcp.example.com:0443/mcp/~tools/a%2Fb'],
    ['a prefix of the path', 'https://mcp.example.com/mcp/~tools'],
    ['a longer path', `${TARGET}/c`],
    ['a trailing slash', `${TARGET}/`],
    ['another case in the path', 'https://mcp.example.com/MCP/~tools/a%2Fb'],
    ['a slash decoded', 'https://mcp.example.com/mcp/~tools/a/b'],
    ['a slash encoded twice', 'https://mcp.example.com/mcp/~tools/a%252Fb'],
    ['a slash doubled', 'https://mcp.example.com//mcp/~tools/a%2Fb'],
    ['a slash doubled inside', 'https://mcp.example.com/mcp//~tools/a%2Fb'],
    ['path parameters', `${TARGET};v=1`],
    ['userinfo', 'https://user@mcp.example.com/mcp/~tools/a%2Fb'],
    ['userinfo with a password', 'https://u:p@mcp.example.com/mcp/~tools/a%2Fb'],
    ['empty userinfo', 'https://@mcp.example.com/mcp/~tools/a%2Fb'],
    ['one slash missing', 'https:/mcp.example.com/mcp/~tools/a%2Fb'],
    ['both slashes missing', 'https:mcp.example.com/mcp/~tools/a%2Fb'],
    ['a slash too many', 'https:///mcp.example.com/mcp/~tools/a%2Fb'],
    ['backslashes', 'https:\\\\mcp.example.com\\mcp\\~tools\\a%2Fb'],
    ['a backslash in the path', 'https://mcp.example.com\\mcp/~tools/a%2Fb'],
    ['a space before it', ` ${TARGET}`],
    ['a space after it', `${TARGET} `],
    ['a tab inside', 'https://mcp.example.com/m\tcp/~tools/a%2Fb'],
    ['a line break inside', 'https://mcp.exa\nmple.com/mcp/~tools/a%2Fb'],
    ['a line break after it', `${TARGET}\n`],
    ['a NUL after it', `${TARGET}\u0000`],
    ['full-width letters', 'https://ｍcp.example.com/mcp/~tools/a%2Fb'],
    ['an encoded dot in the host, decoded into another host', 'https://mcp%2eexample%2Fcom/mcp/~tools/a%2Fb'],
    ['a broken percent sign', 'https://mcp.example.com/mcp/~tools/a%2'],
    ['a percent sign alone', 'https://mcp.example.com/mcp/%/a%2Fb'],
    ['a relative reference', '/mcp/~tools/a%2Fb'],
    ['a network-path reference', '//mcp.example.com/mcp/~tools/a%2Fb'],
    ['no host', 'https:///mcp/~tools/a%2Fb'],
    ['nothing', ''],
    ['the resource twice, joined', `${TARGET},${TARGET}`],
  ])('refuses %s [9449-4.3-9]', (_, htu) => {
    expect(isSameTargetUri(htu, TARGET)).toBe(false)
  })

  it.each([
    ['https://h.example', 'https://h.example/', true],
    ['https://h.example?q', 'https://h.example/', true],
    ['http://h.example:80/', 'http://h.example/', true],
    ['http://h.example:443/', 'http://h.example/', false],
    ['https://[::1]:443/', 'https://[::1]/', true],
    ['https://[0:0:0:0:0:0:0:1]/', 'https://[::1]/', false],
    ['http://127.1/', 'http://127.0.0.1/', false],
    ['http://2130706433/', 'http://127.0.0.1/', false],
    ['http://0x7f.0.0.1/', 'http://127.0.0.1/', false],
    ['https://bücher.example/', 'https://xn--bcher-kva.example/', false],
    ['https://h.example/caf%C3%A9', 'https://h.example/cafe%CC%81', false],
    ['https://h.example/caf%c3%a9', 'https://h.example/caf%C3%A9', true],
    ['https://h.example/a/..', 'https://h.example/', true],
    ['https://h.example/a/.', 'https://h.example/a/', true],
    ['https://h.example/a/...', 'https://h.example/a/', false],
    ['https://h.example/.a', 'https://h.example/a', false],
  ])('compares %s with %s: %s', (htu, target, same) => {
    expect(isSameTargetUri(htu, target)).toBe(same)
  })
})

describe('normalizeTargetUri', () => {
  const segment = fc.constantFrom(
    'a',
    'B',
    '.',
    '..',
    '%2e',
    '%2E%2e',
    '%41',
    '%2F',
    '',
    '~',
    ';x',
    '...',
    '.a',
  )
  const path = fc.array(segment, { maxLength: 7 }).map((segments) => `/${segments.join('/')}`)

  it('removes dot segments as the WHATWG URL parser does', () => {
    fc.assert(
      fc.property(path, (path) => {
        const own = normalizeTargetUri(`https://h.example${path}`)
        // That parser leaves the case of hex digits and encoded letters alone: undo these differences on both sides.
        const theirs = normalizeTargetUri(new URL(`https://h.example${path}`).href)
        expect(own).toBe(theirs)
      }),
    )
  })

  it('is idempotent', () => {
    fc.assert(
      fc.property(path, (path) => {
        const once = normalizeTargetUri(`HTTPS://H.example:443${path}?q#f`) as string
        expect(normalizeTargetUri(once)).toBe(once)
      }),
    )
  })

  it('answers undefined, and in linear time, for what is no http(s) URI', () => {
    for (const text of [
      `https://h.example/${'%'.repeat(1e5)}`,
      `https://${'a'.repeat(1e5)}@h.example/`,
      `https://${'%41'.repeat(3e4)}\\`,
      `https://h.example/${'a/'.repeat(5e4)}\\`,
      `https://h.example/?${'?'.repeat(1e5)}"`,
    ]) {
      expect(normalizeTargetUri(text)).toBeUndefined()
    }
    expect(normalizeTargetUri(`https://h.example/${'../'.repeat(3e4)}`)).toBe('https://h.example/')
  })
})
