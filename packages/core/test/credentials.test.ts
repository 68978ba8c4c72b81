import { describe, expect, it } from 'vitest'
import { parseCredentials, parseScheme } from '../src/credentials.ts'
import { Refusal } from '../src/refusal.ts'
import { parseTargetPath, type RequestHeaders, readCredentialFields } from '../src/request.ts'

const TOKEN = 'aaa.bbb.ccc'

function parse(authorization: string | readonly string[], dpop: readonly string[] = ['p']) {
  return parseCredentials({ authorization: [authorization].flat(), dpop })
}

function reasonOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    return (error as Refusal).reason
  }
  return 'accepted'
}

describe('parseCredentials', () => {
  it.each([`DPoP ${TOKEN}`, `dpop ${TOKEN}`, `DPOP ${TOKEN}`, `dPoP    ${TOKEN}`])(
    'reads %j: the scheme in any case, any number of spaces [9449-7.1-scheme]',
    (authorization) => {
      expect(parse(authorization)).toEqual({ scheme: 'DPoP', token: TOKEN, proof: 'p' })
    },
  )

  it.each([`Bearer ${TOKEN}`, `bearer ${TOKEN}`, `BEARER  ${TOKEN}`])('reads %j', (authorization) => {
    expect(parse(authorization, [])).toEqual({ scheme: 'Bearer', token: TOKEN, proof: undefined })
  })

  it.each([
    [[], 'credentials_missing'],
    ['', 'credentials_missing'],
    ['   ', 'credentials_missing'],
    [`Basic dTpw`, 'credentials_missing'],
    [TOKEN, 'credentials_missing'],
    [`Bearer${TOKEN}`, 'credentials_missing'],
    [`DPoPX ${TOKEN}`, 'credentials_missing'],
    [` DPoP ${TOKEN}`, 'credentials_missing'],
    [`DPoP:${TOKEN}`, 'credentials_missing'],
    [`DPoP=${TOKEN}`, 'credentials_missing'],
    ['DPoP', 'credentials_malformed'],
    ['DPoP ', 'credentials_malformed'],
    ['Bearer    ', 'credentials_malformed'],
    [`DPoP\t${TOKEN}`, 'credentials_malformed'],
    [`DPoP \t${TOKEN}`, 'credentials_malformed'],
    [`DPoP ${TOKEN} `, 'credentials_malformed'],
    [`DPoP ${TOKEN} ${TOKEN}`, 'credentials_malformed'],
    [`DPoP ${TOKEN}\t`, 'credentials_malformed'],
    [`DPoP token=${TOKEN} realm="x"`, 'credentials_malformed'],
    [[`DPoP ${TOKEN}`, `DPoP ${TOKEN}`], 'credentials_ambiguous'],
    [[`DPoP ${TOKEN}`, ''], 'credentials_ambiguous'],
    [['', `DPoP ${TOKEN}`], 'credentials_ambiguous'],
    [[`Basic dTpw`, `DPoP ${TOKEN}`], 'credentials_ambiguous'],
    [[`Bearer ${TOKEN}`, `DPoP ${TOKEN}`], 'credentials_ambiguous'],
    [`DPoP ${TOKEN}, DPoP ${TOKEN}`, 'credentials_ambiguous'],
    [`DPoP ${TOKEN},`, 'credentials_ambiguous'],
    [`,DPoP ${TOKEN}`, 'credentials_ambiguous'],
    [`Basic dTpw, DPoP ${TOKEN}`, 'credentials_ambiguous'],
  ])('refuses Authorization %j as %s [6750-3.1-status]', (authorization, reason) => {
    expect(reasonOf(() => parse(authorization))).toBe(reason)
  })

  it.each([[['p', 'p']], [['p', '']], [['', 'p']], [['p,p']], [['p, p']], [['p,']], [[',']]])(
    'refuses more than one proof: DPoP %j [9449-4.3-1]',
    (dpop) => {
      expect(reasonOf(() => parse(`DPoP ${TOKEN}`, ['p']))).toBe('accepted')
      expect(reasonOf(() => parse(`DPoP ${TOKEN}`, dpop))).toBe('proof_ambiguous')
    },
  )
})

describe('parseScheme', () => {
  it.each([
    ['DPoP', 'DPoP'],
    ['bearer', 'Bearer'],
    ['DPoP,', undefined],
    ['Digest x', undefined],
    ['', undefined],
  ])('reads %j as %s', (authorization, scheme) => {
    expect(parseScheme(authorization)).toBe(scheme)
  })
})

describe('readCredentialFields', () => {
  const FIELDS = { authorization: ['DPoP a'], dpop: ['p'] }
  const shapes: [string, RequestHeaders][] = [
    ['raw, flat', ['Host', 'h', 'AUTHORIZATION', 'DPoP a', 'dPoP', 'p', 'X', 'y']],
    [
      'pairs',
      [
        ['Authorization', 'DPoP a'],
        ['X', 'y'],
        ['DPoP', 'p'],
      ],
    ],
    ['Headers', new Headers({ Authorization: 'DPoP a', DPoP: 'p' })],
    ['by name', { authorization: 'DPoP a', dpop: 'p', x: undefined }],
    ['headersDistinct', { authorization: ['DPoP a'], dpop: ['p'] }],
  ]
  it.each(shapes)('reads headers %s', (_, headers) => {
    expect(readCredentialFields(headers)).toEqual(FIELDS)
  })

  const doubled: [string, RequestHeaders][] = [
    ['raw, flat', ['authorization', 'DPoP a', 'Authorization', 'DPoP b', 'dpop', 'p', 'DPOP', 'q']],
    [
      'pairs',
      [
        ['authorization', 'DPoP a'],
        ['Authorization', 'DPoP b'],
        ['dpop', 'p'],
        ['DPOP', 'q'],
      ],
    ],
    ['by name', { authorization: 'DPoP a', Authorization: 'DPoP b', dpop: 'p', DPOP: 'q' }],
    ['headersDistinct', { authorization: ['DPoP a', 'DPoP b'], dpop: ['p', 'q'] }],
  ]
  it.each(doubled)('keeps two fields of one name apart, %s', (_, headers) => {
    expect(readCredentialFields(headers)).toEqual({ authorization: ['DPoP a', 'DPoP b'], dpop: ['p', 'q'] })
  })

  it('cannot tell two fields of a Headers object apart, and refuses what they were joined to', () => {
    const headers = new Headers([
      ['Authorization', 'DPoP a'],
      ['Authorization', 'DPoP b'],
      ['DPoP', 'p'],
    ])
    expect(reasonOf(() => parseCredentials(readCredentialFields(headers)))).toBe('credentials_ambiguous')
  })

  it.each([[[]], [{}], [new Headers()]])('finds nothing in empty headers', (headers) => {
    expect(readCredentialFields(headers)).toEqual({ authorization: [], dpop: [] })
  })

  it('is not taken in by a field that is named like a method, or by a value that reads like a name', () => {
    expect(readCredentialFields({ get: 'x', authorization: 'DPoP a' }).authorization).toEqual(['DPoP a'])
    expect(readCredentialFields(['X', 'Authorization', 'DPoP', 'p']).authorization).toEqual([])
  })
})

describe('parseTargetPath', () => {
  const ORIGIN = 'https://mcp.example.com'
  it.each([
    ['/mcp', '/mcp'],
    ['/mcp?a=/b', '/mcp'],
    ['/mcp?', '/mcp'],
    ['/mcp#f', '/mcp'],
    ['/', '/'],
    ['/%2fmcp', '/%2fmcp'],
    ['/a//b', '/a//b'],
    ['/.well-known/x', '/.well-known/x'],
    ['/a/..b/.../c.', '/a/..b/.../c.'],
    ['/mcp?x=/../y', '/mcp'],
    ['https://mcp.example.com/mcp?x', '/mcp'],
    ['HTTPS://MCP.example.com/mcp', '/mcp'],
    ['https://mcp.example.com', '/'],
  ])('reads %j as %j', (target, path) => {
    expect(parseTargetPath(target, ORIGIN)).toBe(path)
  })

  it.each([
    '',
    '*',
    'mcp',
    '?x',
    'mcp.example.com:443',
    '//evil.example/mcp',
    '//mcp.example.com/mcp',
    'https://evil.example/mcp',
    'https://mcp.example.com.evil.example/mcp',
    'https://mcp.example.com:8443/mcp',
    'https://user@mcp.example.com/mcp',
    'https://mcp.example.com@evil.example/mcp',
    'https://mcp.example.com\\@evil.example/mcp',
    'https://mcp.example.com//evil.example',
    'https://mcp.example.com?x',
    'https://mcp.example.com?x=/admin',
    'https://mcp.example.com#/admin',
    'http://mcp.example.com/mcp',
    'ftp://mcp.example.com/mcp',
    '\\\\evil.example/mcp',
    ' /mcp',
  ])('finds %j ambiguous', (target) => {
    expect(reasonOf(() => parseTargetPath(target, ORIGIN))).toBe('target_ambiguous')
  })

  // A router that looks at what came sees another path than a client that normalized it before signing.
  it.each([
    '/mcp/../admin',
    '/mcp/..',
    '/..',
    '/./mcp',
    '/mcp/.',
    '/mcp/%2e%2e/admin',
    '/mcp/%2E./admin?x',
    '/mcp/.%2e',
    '/%2e/mcp',
    'https://mcp.example.com/mcp/../admin',
  ])('finds the dot segment in %j ambiguous', (target) => {
    expect(reasonOf(() => parseTargetPath(target, ORIGIN))).toBe('target_ambiguous')
  })

  it('throws refusals and nothing else', () => {
    for (const target of ['', '*', '//']) {
      expect(() => parseTargetPath(target, ORIGIN)).toThrow(expect.any(Refusal) as never)
    }
  })
})
