import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseCredentials } from '../../packages/core/src/credentials.ts'
import { isSameTargetUri, normalizeTargetUri } from '../../packages/core/src/dpop/target-uri.ts'
import { parseJsonObject } from '../../packages/core/src/json.ts'
import { parseCompactJws } from '../../packages/core/src/jws.ts'
import { parsePublicJwk, thumbprint } from '../../packages/core/src/public-jwk.ts'
import { Refusal } from '../../packages/core/src/refusal.ts'
import { parseTargetPath } from '../../packages/core/src/request.ts'
import { parseScopes } from '../../packages/core/src/scopes.ts'
import { generateKeyPair } from '../support/exchange.ts'

/** Parsers: total, linear, and with one spelling of everything they accept. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom(...'ABab01-_.=/+ ,\t"') }),
  fc.string(),
)

function refusesOrReturns<T>(run: () => T): T | undefined {
  try {
    return run()
  } catch (error) {
    expect(error).toBeInstanceOf(Refusal)
    return undefined
  }
}

describe('credentials', () => {
  it('are refused or are exactly scheme, spaces and token', () => {
    const scheme = fc.constantFrom('DPoP', 'dpop', 'Bearer', 'BEARER', 'Basic', '')
    const spaces = fc.constantFrom('', ' ', '   ', '\t')
    fc.assert(
      fc.property(scheme, spaces, text, fc.array(text, { maxLength: 2 }), (scheme, spaces, token, dpop) => {
        const authorization = scheme + spaces + token
        const read = refusesOrReturns(() => parseCredentials({ authorization: [authorization], dpop }))
        if (read === undefined) return
        expect(authorization).toMatch(/^(dpop|bearer) +[^ \t,]+$/i)
        expect(authorization.endsWith(` ${read.token}`)).toBe(true)
        expect(read.scheme.toLowerCase()).toBe(authorization.slice(0, read.scheme.length).toLowerCase())
        expect(dpop.length).toBeLessThanOrEqual(1)
        expect(read.proof).toBe(dpop[0])
      }),
    )
  })
})

describe('a compact JWS', () => {
  const part = fc
    .uint8Array({ minLength: 1, maxLength: 40 })
    .map((bytes) => Buffer.from(bytes).toString('base64url'))

  it('is read as its parts, and put together again is what it was', () => {
    fc.assert(
      fc.property(part, part, part, (header, payload, signature) => {
        const jws = `${header}.${payload}.${signature}`
        expect(parseCompactJws(jws, 8192)).toEqual({
          header,
          payload,
          signature,
          signed: `${header}.${payload}`,
        })
      }),
    )
  })

  it('has no two spellings: what decodes to the same octets is the same text', () => {
    fc.assert(
      fc.property(text, text, text, (a, b, c) => {
        const jws = parseCompactJws(`${a}.${b}.${c}`, 8192)
        if (jws === undefined) return
        for (const piece of [jws.header, jws.payload, jws.signature]) {
          expect(Buffer.from(piece, 'base64url').toString('base64url')).toBe(piece)
        }
      }),
    )
  })
})

describe('a public key', () => {
  const keys = ['ES256', 'ES384', 'ES512', 'EdDSA', 'RS256'].map((alg) => generateKeyPair(alg).publicJwk)
  const octets = (text: string) =>
    Buffer.from(text, 'base64url')
      .toString('hex')
      .replace(/^(00)+/, '')

  it('with one character changed is refused or another key with another thumbprint', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...keys), fc.nat(), fc.nat(), text, async (jwk, which, at, char) => {
        const names = ['x', 'y', 'n', 'e'].filter((name) => name in jwk)
        const name = names[which % names.length] as string
        const value = jwk[name] as string
        const index = at % (value.length + 1)
        for (const changed of [
          value.slice(0, index) + char + value.slice(index),
          value.slice(0, index) + char + value.slice(index + 1),
          `AA${value}`,
        ]) {
          const key = parsePublicJwk({ ...jwk, [name]: changed })
          if (key === undefined || changed === value) continue
          expect(octets(changed)).not.toBe(octets(value))
          expect(await thumbprint(key)).not.toBe(await thumbprint(parsePublicJwk(jwk) as never))
        }
      }),
      { numRuns: 500 },
    )
  })

  it('of any JSON is refused or has members in their one spelling', () => {
    const member = fc.constantFrom('kty', 'crv', 'x', 'y', 'n', 'e', 'd', 'k')
    const value = fc.oneof(
      fc.constantFrom('EC', 'RSA', 'OKP', 'P-256', 'Ed25519'),
      fc.base64String(),
      fc.jsonValue(),
    )
    fc.assert(
      fc.property(fc.dictionary(member, value), (jwk) => {
        const key = parsePublicJwk(jwk)
        if (key !== undefined) expect('d' in jwk || 'k' in jwk).toBe(false)
      }),
    )
  })
})

describe('a target URI', () => {
  const piece = fc.constantFrom(
    'a',
    'A',
    '/',
    '.',
    '..',
    '%2e',
    '%2F',
    '%41',
    '?',
    '#',
    '@',
    ':',
    '443',
    '\\',
    ' ',
    '\t',
    '\n',
    '[',
    ']',
    '%',
    '%zz',
    'é',
    '//',
  )
  const rest = fc.array(piece, { maxLength: 10 }).map((pieces) => pieces.join(''))

  it('is the same as another only if the URL parser, which forgives more, thinks so too', () => {
    fc.assert(
      fc.property(rest, rest, (a, b) => {
        const [left, right] = [`https://h.example/${a}`, `https://h.example/${b}`]
        if (left === right || !isSameTargetUri(left, right)) return
        const plain = (uri: string) => {
          const { origin, pathname } = new URL(uri)
          return origin + pathname.replaceAll('%41', 'A').replaceAll(/%2f/gi, '%2F')
        }
        expect(plain(left)).toBe(plain(right))
      }),
      { numRuns: 2000 },
    )
  })

  it('of another origin is never the same', () => {
    fc.assert(
      fc.property(text, rest, (authority, path) => {
        fc.pre(!/^(h\.example|%68\.example)?(:(443)?)?([/?#]|$)/i.test(authority))
        const uri = `https://${authority}${path}`
        if (/^https:\/\/h\.example(:443|:)?[/?#]/i.test(uri)) return
        expect(isSameTargetUri(uri, 'https://h.example/a')).toBe(false)
      }),
    )
  })

  it('compares as an equivalence', () => {
    fc.assert(
      fc.property(rest, (path) => {
        const uri = `https://h.example/${path}`
        const normal = normalizeTargetUri(uri)
        if (normal === undefined) return
        expect(isSameTargetUri(uri, normal)).toBe(true)
        expect(isSameTargetUri(normal, uri)).toBe(true)
        expect(normalizeTargetUri(normal)).toBe(normal)
      }),
    )
  })
})

describe('a request target', () => {
  it('is refused or a path that begins with one slash and has no dot segments', () => {
    const start = fc.constantFrom(
      '',
      '/',
      '//',
      'https://h.example',
      'https://evil.example',
      '*',
      'http://h.example',
    )
    const piece = fc.constantFrom('a', '/', '.', '..', '%2e', '%2E', '\\', '?', '#', '@', ':', '//')
    const target = fc.tuple(start, fc.array(piece)).map(([start, pieces]) => start + pieces.join(''))
    fc.assert(
      fc.property(fc.oneof(target, text), (target) => {
        const path = refusesOrReturns(() => parseTargetPath(target, 'https://h.example'))
        if (path === undefined) return
        expect(path).toMatch(/^\/(?!\/)[^?#\\]*$/s)
        // The URL parser resolves nothing in it.
        if (/^[\x21-\x7e]*$/.test(path))
          expect(new URL(`https://h.example${path}`).pathname.length).toBeGreaterThanOrEqual(path.length)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('JSON and scopes', () => {
  it('of any octets are read or not, without an exception', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const value = parseJsonObject(bytes)
        if (value !== undefined) expect(JSON.parse(new TextDecoder().decode(bytes))).toEqual(value)
      }),
    )
  })

  it('of any claim are a list of scope names, or refused', () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), text), fc.oneof(fc.jsonValue(), text), (scope, scp) => {
        const scopes = refusesOrReturns(() => parseScopes({ scope, scp })) ?? []
        for (const name of scopes) expect(name).toMatch(/^[\x21\x23-\x5b\x5d-\x7e]+$/)
        expect(new Set(scopes).size).toBe(scopes.length)
      }),
    )
  })

  it('twice as much input is no more than some three times the work', () => {
    // Counted by what the parser reads, not by a clock: a getter per character.
    const reads = (length: number) => {
      let count = 0
      const source = `{"a":"${'x\\n'.repeat(length)}","b":[${'{},'.repeat(length)}{}]}`
      const parse = JSON.parse
      JSON.parse = (text: string, ...rest) => {
        count += text.length
        return parse(text, ...rest)
      }
      try {
        parseJsonObject(new TextEncoder().encode(source))
      } finally {
        JSON.parse = parse
      }
      return count
    }
    expect(reads(2000)).toBeLessThan(3 * reads(1000))
  })
})
