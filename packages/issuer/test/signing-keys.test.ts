import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, type JWK, jwtVerify } from 'jose'
import { afterEach, describe, expect, it } from 'vitest'
import { memoryStore, type StartOptions } from '../src/index.ts'
import { RESOURCE } from './support/browser.ts'
import { IssuerUnderTest } from './support/issuer-under-test.ts'

const running: IssuerUnderTest[] = []
const start = async (options: StartOptions = {}) => {
  const test = await new IssuerUnderTest().start(options)
  running.push(test)
  return test
}
afterEach(async () => {
  for (const test of running.splice(0)) await test.issuer.close()
})

const DAY = 86_400
const jwks = async (test: IssuerUnderTest) => {
  const { body } = await test.request('/.well-known/jwks.json')
  return body.keys as JWK[]
}
const kids = async (test: IssuerUnderTest) => (await jwks(test)).map(({ kid }) => kid)
const mint = (test: IssuerUnderTest, more = {}) => test.issuer.mintToken({ resource: RESOURCE, ...more })
const kidOf = (token: string) => decodeProtectedHeader(token).kid

/** As anybody verifies: with the published keys, fetched anew. */
async function isVerified(test: IssuerUnderTest, token: string): Promise<boolean> {
  const keys = createRemoteJWKSet(new URL(`${test.url}/.well-known/jwks.json`))
  const options = { issuer: test.url, audience: RESOURCE, currentDate: new Date(test.now * 1000) }
  return jwtVerify(token, keys, options).then(
    () => true,
    () => false,
  )
}

describe('the key set', () => {
  it('has the public members of one ES256 key by default [8725-3.5]', async () => {
    const test = await start()
    expect(await jwks(test)).toEqual([
      {
        kty: 'EC',
        crv: 'P-256',
        x: expect.stringMatching(/^[\w-]{43}$/),
        y: expect.stringMatching(/^[\w-]{43}$/),
        kid: expect.stringMatching(/^[\w-]{16}$/),
        alg: 'ES256',
        use: 'sig',
      },
    ])
  })

  it('may be cached for five minutes, and is told not to have changed', async () => {
    const test = await start()
    const { status, headers } = await test.request('/.well-known/jwks.json')
    expect([status, headers.get('cache-control')]).toEqual([200, 'public, max-age=300'])
    expect(headers.get('access-control-allow-origin')).toBe('*')
    const etag = headers.get('etag')!
    const conditional = () => test.request('/.well-known/jwks.json', { headers: { 'if-none-match': etag } })
    const same = await conditional()
    expect([same.status, same.body.text, same.headers.get('etag')]).toEqual([304, '', etag])
    expect(same.headers.get('cache-control')).toBe('public, max-age=300')
    await test.issuer.rotateKeys()
    expect((await conditional()).status).toBe(200)
  })

  it('has a key of each algorithm, and tokens signed by any of them verify', async () => {
    const algorithms = ['PS256', 'ES256', 'EdDSA', 'RS256'] as const
    const test = await start({ algorithms })
    expect((await jwks(test)).map(({ alg }) => alg)).toEqual(algorithms)
    expect(decodeProtectedHeader(await mint(test)).alg).toBe('PS256')
    for (const algorithm of algorithms) {
      const token = await mint(test, { algorithm })
      expect(decodeProtectedHeader(token).alg).toBe(algorithm)
      expect([algorithm, await isVerified(test, token)]).toEqual([algorithm, true])
      expect(await test.isActive(token)).toBe(true)
    }
  })
})

describe('rotation on call', () => {
  it('signs with the new key at once; what the old one signed is good until it expires', async () => {
    const test = await start()
    const before = await mint(test)
    const { body } = await test.admin('POST', '/admin/auth/rotate-signing-key')
    expect(body).toEqual({ rotated: true, kid: expect.any(String), algorithm: 'ES256' })
    const after = await mint(test)
    expect(kidOf(after)).toBe(body.kid)
    expect(kidOf(after)).not.toBe(kidOf(before))
    test.now += 299
    for (const token of [before, after]) {
      expect(await isVerified(test, token)).toBe(true)
      expect(await test.isActive(token)).toBe(true)
    }
    test.now += 61
    expect(await kids(test)).toEqual([body.kid])
    const events = (await test.admin('GET', '/audit-logs?action=signing_key.rotated')).body
    expect(events.data[0].target).toBe(body.kid)
  })

  it('again and again keeps each key as long as its tokens', async () => {
    const test = await start()
    const tokens = []
    for (let time = 0; time < 5; time++) {
      tokens.push(await mint(test))
      await test.issuer.rotateKeys()
      test.now += 100
    }
    const verified = await Promise.all(tokens.map((token) => isVerified(test, token)))
    expect(verified).toEqual([false, false, false, true, true])
    expect(await kids(test)).toHaveLength(4)
  })

  it('with no overlap withdraws the old key, and revokes what it signed', async () => {
    const test = await start()
    const before = await mint(test)
    const { kid } = await test.issuer.rotateKeys(0)
    expect(await kids(test)).toEqual([kid])
    expect(await isVerified(test, before)).toBe(false)
    expect(await test.isActive(before)).toBe(false)
    expect(await isVerified(test, await mint(test))).toBe(true)
  })

  it('with no overlap withdraws every key there was, of each algorithm, with a rule', async () => {
    const test = await start({ algorithms: ['ES256', 'RS256'] })
    const withdrawn = async () => {
      const { rules } = decodeJwt<{ rules: { k: string; v: string }[] }>(
        (await test.request('/oauth/revocations')).body.text,
      )
      return rules.filter(({ k }) => k === 'kid').map(({ v }) => v)
    }
    await test.issuer.rotateKeys()
    const before = await kids(test)
    expect([before.length, await withdrawn()]).toEqual([4, []])
    await test.issuer.rotateKeys(0)
    expect((await withdrawn()).sort()).toEqual(before.sort())
    expect(await kids(test)).toHaveLength(2)
  })
})

describe('rotation on schedule', () => {
  it('publishes the next key before it signs, and the last one after', async () => {
    const test = await start({ keyLifetime: DAY })
    const [first] = await kids(test)
    test.now += DAY - 601
    expect(await kids(test)).toEqual([first])
    test.now += 2
    const announced = await kids(test)
    expect(announced).toHaveLength(2)
    expect(kidOf(await mint(test))).toBe(first)
    test.now += 598
    expect(kidOf(await mint(test))).toBe(first)
    const last = await mint(test)
    test.now += 2
    expect(kidOf(await mint(test))).toBe(announced[0])
    test.now += 297
    expect(await isVerified(test, last)).toBe(true)
    test.now += 63
    expect(await kids(test)).toEqual([announced[0]])
  })

  it('that was missed gives verifiers their time all the same', async () => {
    const test = await start({ keyLifetime: DAY })
    const first = kidOf(await mint(test))
    test.now += 30 * DAY
    expect(kidOf(await mint(test))).toBe(first)
    expect(await kids(test)).toHaveLength(2)
    test.now += 600
    expect(kidOf(await mint(test))).not.toBe(first)
  })
})

describe('two instances with one store', () => {
  it('have the same keys, from the first request on, and rotate together', async () => {
    const store = memoryStore({ clock: () => 1_700_000_000 })
    const issuer = 'https://issuer.example'
    const one = await start({ store, issuer })
    const two = await start({ store, issuer })
    const fetchKids = async (test: IssuerUnderTest) => {
      const response = await fetch(`http://127.0.0.1:${test.issuer.port}/.well-known/jwks.json`)
      return ((await response.json()) as { keys: JWK[] }).keys.map(({ kid }) => kid)
    }
    const both = () => Promise.all([fetchKids(one), fetchKids(two)])
    const [a, b] = await both()
    expect(a).toEqual(b)
    expect(a).toHaveLength(1)
    const { kid } = await one.issuer.rotateKeys()
    expect(kidOf(await mint(two))).toBe(kid)
    const rotated = await Promise.all([one, two, one, two].map((test) => test.issuer.rotateKeys(1000)))
    const [c, d] = await both()
    expect(c).toEqual(d)
    for (const { kid } of rotated) expect(c).toContain(kid)
    expect(kidOf(await mint(one))).toBe(kidOf(await mint(two)))
  })
})
