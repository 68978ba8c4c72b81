import { describe, expect, it } from 'vitest'
import {
  ConfigurationError,
  createGuard,
  DEFAULTS,
  type GuardOptions,
  SIGNATURE_ALGORITHMS,
} from '../src/index.ts'
import { resolveOptions } from '../src/options.ts'

const AUDIENCE = 'https://mcp.example.com/mcp'
const ISSUER = 'https://as.example.com'

/** The option that is named as wrong; `undefined` when nothing is. */
function wrongOption(options: unknown, audience: unknown = AUDIENCE): string | undefined {
  try {
    void createGuard(audience as string, options as GuardOptions).close()
    return undefined
  } catch (error) {
    expect(error, String(error)).toBeInstanceOf(ConfigurationError)
    expect((error as Error).message).toMatch(/^sharkGuard: \S+: .{5,}/)
    return (error as ConfigurationError).option
  }
}
const resolve = (options: GuardOptions, audience: string | readonly string[] = AUDIENCE) =>
  resolveOptions(audience, { issuer: ISSUER, ...options })

const circular: Record<string, unknown> = {}
circular.self = circular

/** Values that no option of the kind can have. */
const WRONG: Record<keyof GuardOptions, readonly unknown[]> = {
  issuer: [
    '',
    'as.example.com',
    'ftp://as.example.com',
    'https://u@as.example.com',
    'https://:p@as.example.com',
    'https://as.example.com/#f',
    'https://as.example.com/?q',
    5,
    true,
    {},
    { issuer: 5 },
    [],
    [null],
    null,
    [ISSUER, ISSUER],
    [ISSUER, { issuer: ISSUER }],
    /as/,
  ],
  dpop: [null, 'off', 'Required', '', true, false, 0, ['required']],
  impliesScope: [null, true, 'mcp', {}, ['mcp']],
  scopes: [null, 'mcp:read', [''], ['a b'], ['a"'], [1], {}, 5, [null]],
  publicUrl: [
    '',
    'mcp.example.com',
    '/svc',
    'ftp://h',
    'https://h/?q',
    'https://h/#f',
    'https://u@h/',
    5,
    {},
  ],
  algorithms: [[], 'ES256', ['none'], ['HS256'], ['ES256', 'HS512'], ['es256'], [null], {}, 5],
  proofAlgorithms: ['ES256', ['none'], ['HS256'], ['RSA-OAEP'], [null], {}, 5, true],
  proofMaxAge: [0, -1, 301, Number.NaN, Number.POSITIVE_INFINITY, '60', [60], {}],
  clockTolerance: [-1, 301, Number.NaN, Number.POSITIVE_INFINITY, '10', [], {}],
  nonce: [
    null,
    'yes',
    1,
    { secrets: [] },
    { secrets: ['short'] },
    { secrets: 'x'.repeat(32) },
    { secrets: [1] },
    { lifetime: 0 },
    { lifetime: Number.NaN },
    { lifetime: 301 },
    { secret: 'x'.repeat(32) },
  ],
  replayStore: [null, {}, 'memory', new Map(), { claim: true }],
  revocation: [null, [], 'on', '', false, 5, {}, [{}], [null], { open: true }],
  resourceMetadata: [null, [], 'x', 5, { resource: 'x' }, { authorization_servers: [] }, circular],
  onDecision: [null, {}, 'log', true],
  clock: [null, 5, 'now', () => Number.NaN, () => '5', () => undefined, () => Number.POSITIVE_INFINITY],
  fetch: [null, {}, 'fetch'],
}

describe('createGuard', () => {
  it('needs nothing but an audience', () => {
    expect(wrongOption(undefined)).toBeUndefined()
    expect(wrongOption({ issuer: ISSUER })).toBeUndefined()
  })

  const cases = Object.entries(WRONG).flatMap(([name, values]) => values.map((value) => ({ name, value })))
  it.each(cases)('names $name when it is $value', ({ name, value }) => {
    const named = wrongOption(name === 'issuer' ? { issuer: value } : { issuer: ISSUER, [name]: value })
    expect(named?.split('.')[0]).toBe(name)
  })

  it.each([
    ['issuer.jwksUri', { issuer: { issuer: ISSUER, jwksUri: 'keys' } }],
    ['issuer.jwksUri', { issuer: { issuer: ISSUER, jwksUri: 'file:///keys' } }],
    ['issuer.algorithms', { issuer: { issuer: ISSUER, algorithms: ['HS256'] } }],
    ['issuer.profile', { issuer: { issuer: ISSUER, profile: 'none' } }],
    ['issuer.audience', { issuer: { issuer: ISSUER, audience: 'x' } }],
    ['nonce.secrets', { issuer: ISSUER, nonce: { secrets: ['short'] } }],
    ['nonce.lifetime', { issuer: ISSUER, nonce: { lifetime: 0 } }],
    ['nonce.secret', { issuer: ISSUER, nonce: { secret: 'x' } }],
    ['resourceMetadata.resource', { issuer: ISSUER, resourceMetadata: { resource: 'x' } }],
    [
      'resourceMetadata.bearer_methods_supported',
      { resourceMetadata: { bearer_methods_supported: ['query'] } },
    ],
    [
      'resourceMetadata.dpop_signing_alg_values_supported',
      { resourceMetadata: { dpop_signing_alg_values_supported: [] } },
    ],
  ])('names %s', (name, options) => {
    expect(wrongOption(options)).toBe(name)
  })

  it.each(['audience', 'Issuer', 'dPoP', 'jwksUri', 'constructor', 'toString', '__proto__x'])(
    'refuses the unknown option %s and says which there are',
    (name) => {
      expect(wrongOption({ issuer: ISSUER, [name]: undefined })).toBe(name)
      expect(() => createGuard(AUDIENCE, { [name]: 1 } as never)).toThrow(/proofMaxAge/)
    },
  )

  it.each([null, 5, 'x'])('refuses options that are %j', (options) => {
    expect(wrongOption(options)).toBe('options')
  })

  it.each([
    undefined,
    null,
    '',
    'mcp',
    '/mcp',
    5,
    [],
    [5],
    [AUDIENCE, ''],
    [AUDIENCE, 'a b'],
    [AUDIENCE, 'mcp.example.com/mcp'],
    ['my-api', AUDIENCE],
    /mcp/,
    'https://h/#f',
    'https://h/ ',
    ' https://h/',
    'https://h\n/',
  ])('refuses the audience %j [8707-2-fragment]', (audience) => {
    const named = wrongOption({ issuer: ISSUER }, audience === undefined ? null : audience)
    expect(named).toBe('audience')
  })

  it('needs publicUrl for an audience that is no http(s) URL', () => {
    expect(wrongOption({ issuer: ISSUER }, 'urn:example:mcp')).toBe('publicUrl')
    expect(wrongOption({ issuer: ISSUER, publicUrl: 'https://h.example' }, 'urn:example:mcp')).toBeUndefined()
  })
})

describe('resolveOptions', () => {
  it('has the documented defaults', () => {
    const settings = resolve({})
    expect(settings).toMatchObject({
      audience: AUDIENCE,
      audiences: [AUDIENCE],
      dpop: 'required',
      scopes: [],
      publicOrigin: 'https://mcp.example.com',
      publicPrefix: 'https://mcp.example.com',
      resourceMetadataUrl: 'https://mcp.example.com/.well-known/oauth-protected-resource/mcp',
      proofMaxAge: 60,
      clockTolerance: 10,
      nonce: {},
      nonceNeededUntil: Number.NEGATIVE_INFINITY,
      revocation: 'auto',
    })
    expect(settings.issuers).toEqual([
      { issuer: ISSUER, jwksUri: undefined, algorithms: SIGNATURE_ALGORITHMS, profile: 'default' },
    ])
    expect(Object.isFrozen(settings)).toBe(true)
    expect(Object.isFrozen(DEFAULTS)).toBe(true)
  })

  it('accepts proofs by all token algorithms but RS*, and ES256 always [9449-11.6-alg] [SEP-D10]', () => {
    expect(resolve({}).proofAlgorithms).toEqual(SIGNATURE_ALGORITHMS.filter((alg) => !alg.startsWith('RS')))
    expect(resolve({ algorithms: ['RS256', 'PS256'] }).proofAlgorithms).toEqual(['ES256', 'PS256'])
    expect(resolve({ proofAlgorithms: ['EdDSA'] }).proofAlgorithms).toEqual(['ES256', 'EdDSA'])
    expect(resolve({ proofAlgorithms: ['RS256', 'ES256'] }).proofAlgorithms).toEqual(['ES256', 'RS256'])
    expect(resolve({ proofAlgorithms: [] }).proofAlgorithms).toEqual(['ES256'])
  })

  it('knows no symmetric algorithm and no none', () => {
    expect(SIGNATURE_ALGORITHMS.filter((alg) => !/^(ES|PS|RS)\d{3}$|^Ed/.test(alg))).toEqual([])
  })

  it('takes the origin from publicUrl, with the prefix that a proxy strips', () => {
    const { publicOrigin, publicPrefix } = resolve({ publicUrl: 'https://API.example.com:443/svc/' })
    expect([publicOrigin, publicPrefix]).toEqual(['https://api.example.com', 'https://api.example.com/svc'])
    expect(resolve({ publicUrl: 'http://h.example:8080' }).publicPrefix).toBe('http://h.example:8080')
  })

  it.each([
    ['https://h.example', 'https://h.example/.well-known/oauth-protected-resource'],
    ['https://h.example/', 'https://h.example/.well-known/oauth-protected-resource'],
    ['https://h.example/a/b', 'https://h.example/.well-known/oauth-protected-resource/a/b'],
    ['https://h.example/a/', 'https://h.example/.well-known/oauth-protected-resource/a/'],
    ['https://h.example/a?k=v', 'https://h.example/.well-known/oauth-protected-resource/a?k=v'],
  ])('puts the metadata of %s at %s [9728-3.1]', (audience, url) => {
    expect(resolve({}, audience).resourceMetadataUrl).toBe(url)
  })

  it('takes a clock that only milliseconds can explain as such', () => {
    expect(resolve({ clock: () => 1_800_000_000 }).clock()).toBe(1_800_000_000)
    expect(resolve({ clock: () => 1_800_000_000_500 }).clock()).toBe(1_800_000_000.5)
    expect(Math.abs(resolve({}).clock() - Date.now() / 1000)).toBeLessThan(2)
  })

  it('lets nothing be decided by a clock that has stopped telling the time', () => {
    let reading = 1_800_000_000
    const { clock } = resolve({ clock: () => reading })
    reading = Number.NaN
    expect(clock).toThrow()
  })

  it('gives each issuer its own algorithms and profile', () => {
    const issuer = [
      ISSUER,
      { issuer: 'https://b.example/', algorithms: ['EdDSA'], profile: 'rfc9068' },
    ] as const
    expect(resolve({ issuer, algorithms: ['ES256'] }).issuers).toEqual([
      { issuer: ISSUER, jwksUri: undefined, algorithms: ['ES256'], profile: 'default' },
      { issuer: 'https://b.example/', jwksUri: undefined, algorithms: ['EdDSA'], profile: 'rfc9068' },
    ])
  })
})
