import { afterEach, describe, expect, it, vi } from 'vitest'
import { readEnvironment } from '../src/environment.ts'
import { ConfigurationError } from '../src/index.ts'
import { resolveOptions } from '../src/options.ts'

const issuersOf = (options = {}) =>
  resolveOptions('https://mcp.example.com', options).issuers.map(({ issuer }) => issuer)

afterEach(() => {
  vi.unstubAllEnvs()
  vi.unstubAllGlobals()
})

describe('the issuer that nobody configured', () => {
  it('is the one SHARK_URL names', () => {
    vi.stubEnv('SHARK_URL', 'https://shark.example')
    expect(issuersOf()).toEqual(['https://shark.example'])
    expect(issuersOf({ issuer: 'https://other.example' })).toEqual(['https://other.example'])
  })

  it('is the development server where SHARK_URL is not set or empty', () => {
    vi.stubEnv('NODE_ENV', 'development')
    for (const value of [undefined, '']) {
      vi.stubEnv('SHARK_URL', value)
      expect(issuersOf()).toEqual(['http://localhost:8080'])
    }
  })

  it('must be said in production', () => {
    vi.stubEnv('SHARK_URL', undefined)
    vi.stubEnv('NODE_ENV', 'production')
    expect(() => issuersOf()).toThrow(ConfigurationError)
    expect(() => issuersOf()).toThrow(/SHARK_URL/)
    vi.stubEnv('SHARK_URL', 'https://shark.example')
    expect(issuersOf()).toEqual(['https://shark.example'])
  })

  it('is a configuration error when SHARK_URL is no URL', () => {
    vi.stubEnv('SHARK_URL', 'shark')
    expect(() => issuersOf()).toThrow(ConfigurationError)
  })
})

describe('an issuer in production', () => {
  it.each([
    'http://as.example.com',
    'http://10.0.0.1',
    'http://localhost.evil.example',
    'http://127.0.0.1.evil.example',
    'http://[::2]',
    'http://0.0.0.0',
  ])('must not be %s', (issuer) => {
    vi.stubEnv('NODE_ENV', 'test')
    expect(issuersOf({ issuer })).toEqual([issuer])
    vi.stubEnv('NODE_ENV', 'production')
    expect(() => issuersOf({ issuer })).toThrow(/https/)
    expect(() => issuersOf({ issuer: { issuer: 'https://a.example', jwksUri: issuer } })).toThrow(/jwksUri/)
  })

  it.each([
    'https://as.example.com',
    'http://localhost:8080',
    'http://127.0.0.1:8080',
    'http://127.1.2.3',
    'http://[::1]:8080',
  ])('may be %s', (issuer) => {
    vi.stubEnv('NODE_ENV', 'production')
    expect(issuersOf({ issuer })).toEqual([issuer])
  })
})

it('a runtime without a process has an empty environment', () => {
  vi.stubGlobal('process', undefined)
  expect(readEnvironment()).toEqual({ issuer: undefined, production: false })
})
