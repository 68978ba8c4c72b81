import assert from 'node:assert/strict'
import { createGuard, type Guard, type GuardRequest } from '@sharkguard/core'
import { parseCredentials } from '../../packages/core/src/credentials.ts'
import { isSameTargetUri, normalizeTargetUri } from '../../packages/core/src/dpop/target-uri.ts'
import { parseJsonObject } from '../../packages/core/src/json.ts'
import { decodePart, parseCompactJws } from '../../packages/core/src/jws.ts'
import { parsePublicJwk, thumbprint } from '../../packages/core/src/public-jwk.ts'
import { Refusal } from '../../packages/core/src/refusal.ts'
import { parseTargetPath } from '../../packages/core/src/request.ts'
import { codePoints, compileGlob, matchesGlob } from '../../packages/core/src/revocation/glob.ts'
import { parseRules } from '../../packages/core/src/revocation/rules.ts'
import { parseScopes } from '../../packages/core/src/scopes.ts'
import { parseChallenges } from '../support/challenges.ts'

/** Throws where a promise of the code under it is broken, whatever the bytes are. */
export type Target = (bytes: Uint8Array) => unknown

/** Bytes as a header field has them. */
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1')
/** One text of several, apart by line breaks, which no field has. */
const texts = (bytes: Uint8Array) => text(bytes).split('\n')

/** Nothing but a refusal may be thrown. */
function orRefused<T>(run: () => T): T | undefined {
  try {
    return run()
  } catch (error) {
    assert.ok(error instanceof Refusal, String(error))
    return undefined
  }
}

function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const own = Array.isArray(value) ? 0 : Object.keys(value).length
  return Object.values(value).reduce((sum: number, each) => sum + countMembers(each), own)
}

let guard: Guard | undefined
const offline = () =>
  createGuard('https://mcp.example.com/mcp', {
    issuer: 'https://as.example',
    revocation: 'off',
    dpop: 'when-bound',
    nonce: true,
    fetch: () => Promise.reject(new TypeError('fetch failed')),
  })

export const TARGETS: Readonly<Record<string, Target>> = {
  credentials(bytes) {
    const [authorization = '', ...dpop] = texts(bytes)
    const read = orRefused(() => parseCredentials({ authorization: [authorization], dpop }))
    if (read === undefined) return
    assert.match(authorization, /^(dpop|bearer) +[^ \t,]+$/i)
    assert.ok(authorization.endsWith(` ${read.token}`))
    assert.ok(dpop.length <= 1 && read.proof === dpop[0])
  },

  jws(bytes) {
    const jws = parseCompactJws(text(bytes), 8192)
    if (jws === undefined) return
    for (const part of [jws.header, jws.payload, jws.signature]) {
      assert.equal(Buffer.from(part, 'base64url').toString('base64url'), part)
    }
    assert.equal(`${jws.signed}.${jws.signature}`, text(bytes))
    decodePart(jws.header)
  },

  json(bytes) {
    const value = parseJsonObject(bytes)
    if (value === undefined) return
    const source = Buffer.from(bytes).toString()
    assert.deepEqual(value, JSON.parse(source))
    // No member was dropped: no name comes twice.
    const names = (source.match(/"(?:[^"\\]|\\.)*"\s*:?/g) ?? []).filter((each) => each.endsWith(':'))
    assert.equal(names.length, countMembers(value))
  },

  async jwk(bytes) {
    const value = parseJsonObject(bytes)
    if (value === undefined) return
    const key = parsePublicJwk(value)
    if (key === undefined) return
    for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']) assert.ok(!(member in value))
    assert.deepEqual(parsePublicJwk({ ...key }), key)
    assert.match(await thumbprint(key), /^[\w-]{43}$/)
  },

  htu(bytes) {
    const [a = '', b = ''] = texts(bytes)
    const normal = normalizeTargetUri(a)
    assert.equal(isSameTargetUri(a, b), isSameTargetUri(b, a))
    if (normal === undefined) return
    assert.equal(normalizeTargetUri(normal), normal)
    assert.ok(isSameTargetUri(a, normal))
    assert.doesNotMatch(normal, /[\s\\?#"<>]|^https?:\/\/[^/]*@/)
    // A host may be called `.`, a segment may not.
    assert.doesNotMatch(normal.replace(/^https?:\/\/[^/]*/, ''), /\/\.\.?(\/|$)/)
  },

  target(bytes) {
    const path = orRefused(() => parseTargetPath(text(bytes), 'https://h.example'))
    if (path !== undefined) assert.match(path, /^\/(?!\/)[^?#\\]*$/s)
  },

  scopes(bytes) {
    const [scope, scp] = texts(bytes)
    for (const name of orRefused(() => parseScopes({ scope, scp })) ?? []) {
      assert.match(name, /^[\x21\x23-\x5b\x5d-\x7e]+$/)
    }
  },

  rules(bytes) {
    const value = parseJsonObject(bytes)
    try {
      for (const { k, v, x } of parseRules(value?.rules)) {
        assert.ok(typeof k === 'string' && typeof v === 'string' && v !== '' && Number.isSafeInteger(x))
      }
    } catch (error) {
      assert.ok(error instanceof TypeError && !(error instanceof assert.AssertionError), String(error))
    }
  },

  glob(bytes) {
    const [pattern = '', ...subjects] = Buffer.from(bytes).toString().split('\n')
    const glob = compileGlob(pattern)
    for (const subject of subjects) {
      const matches = matchesGlob(glob, codePoints(subject))
      // Without a wildcard a pattern is a name: as SQLite reads it, up to a NUL and without what is no character.
      if (!/[*?[\0\ufffd-\uffff]/.test(pattern + subject)) assert.equal(matches, pattern === subject)
    }
    if (/^\*+$/.test(pattern)) assert.ok(matchesGlob(glob, codePoints(subjects.join())))
  },

  async guard(bytes) {
    const [method = '', url = '', ...fields] = texts(bytes)
    const headers = fields.map((field) => {
      const colon = field.indexOf(':')
      return [field.slice(0, colon), field.slice(colon + 1).trim()]
    }) as [string, string][]
    guard ??= offline()
    const verdict = await guard.verify({ method, url, headers } as GuardRequest)
    assert.ok(!verdict.ok)
    if (verdict.reason === 'keys_unavailable') return
    assert.ok([400, 401, 403].includes(verdict.status), `${verdict.status} ${verdict.reason}`)
    parseChallenges(verdict.headers['WWW-Authenticate'] as string)
    for (const value of Object.values(verdict.headers)) assert.match(value, /^[\x20-\x7e]*$/)
  },
}
