import { DPoPProver } from '@sharkguard/agent'
import { createGuard, decodeAgentToken } from '@sharkguard/core'
import { equal, it, matches, rejects } from './cases.ts'
import { fetchFrom, ISSUER, RESOURCE, World } from './world.ts'

/** What the guard decides. */
export async function verdicts(): Promise<void> {
  const world = await World.create()

  /** The valid request passes; then the one that is broken does not. */
  async function refuses(breakIt: (token: string) => Promise<string>, expected: string): Promise<void> {
    equal(await world.askWith(await world.token()), 'allowed', 'the valid request')
    equal(await breakIt(await world.token()), expected)
  }

  it('lets a bound token with a fresh proof in, and says who it is', async () => {
    const token = await world.token()
    const verdict = await world.verify(`DPoP ${token}`, await world.proof(token))
    if (!verdict.ok) throw new Error(verdict.reason)
    const { auth } = verdict
    equal(
      [auth.clientId, auth.subject, auth.issuer, auth.scopes, auth.resource.href, auth.cnf?.jkt],
      ['test-client', 'test-client', ISSUER, ['mcp:read'], RESOURCE, world.prover.jkt],
    )
    equal([auth.hasScope('mcp:read'), auth.hasScope('mcp:write'), auth.token], [true, false, token])
  })

  it('challenges a request without credentials', async () => {
    const verdict = await world.guard.verify({ method: 'GET', url: '/mcp', headers: new Headers() })
    if (verdict.ok) throw new Error('allowed')
    equal([verdict.status, verdict.reason], [401, 'credentials_missing'])
    matches(
      verdict.headers['WWW-Authenticate'],
      /^DPoP .*resource_metadata="https:\/\/mcp\.example\.com\/\.well-known/,
    )
  })

  it('refuses a proof that was used', () =>
    refuses(async (token) => {
      const proof = await world.proof(token)
      equal(await world.ask(`DPoP ${token}`, proof), 'allowed')
      return world.ask(`DPoP ${token}`, proof)
    }, '401 proof_replayed'))

  it('lets one of many copies of a proof in', async () => {
    const token = await world.token()
    const proof = await world.proof(token)
    const answers = await Promise.all(Array.from({ length: 20 }, () => world.ask(`DPoP ${token}`, proof)))
    equal(answers.sort(), [...Array(19).fill('401 proof_replayed'), 'allowed'])
  })

  it('refuses a bound token as Bearer', () =>
    refuses((token) => world.ask(`Bearer ${token}`), '401 scheme_mismatch'))

  it('refuses a token without a proof', () =>
    refuses((token) => world.ask(`DPoP ${token}`), '401 proof_missing'))

  it('refuses two proofs', () =>
    refuses(
      async (token) => world.ask(`DPoP ${token}`, await world.proof(token), await world.proof(token)),
      '401 proof_ambiguous',
    ))

  it("refuses a proof by a thief's key", () =>
    refuses(async (token) => {
      const thief = await DPoPProver.generate()
      return world.ask(
        `DPoP ${token}`,
        await thief.createProof({ method: 'POST', url: RESOURCE, accessToken: token }),
      )
    }, '401 proof_key_mismatch'))

  const BROKEN_PROOFS: Record<string, [Partial<Parameters<DPoPProver['createProof']>[0]>, string]> = {
    'another method': [{ method: 'GET' }, '401 proof_method_mismatch'],
    'another URL': [{ url: 'https://evil.example/mcp' }, '401 proof_target_mismatch'],
    'another token': [{ accessToken: 'another' }, '401 proof_token_mismatch'],
    'no token': [{ accessToken: undefined }, '401 proof_token_mismatch'],
    'the past': [{ iat: Date.now() / 1000 - 120 }, '401 proof_expired'],
    'the future': [{ iat: Date.now() / 1000 + 120 }, '401 proof_not_yet_valid'],
  }
  for (const [what, [changes, expected]] of Object.entries(BROKEN_PROOFS)) {
    it(`refuses a proof for ${what}`, () =>
      refuses(async (token) => world.ask(`DPoP ${token}`, await world.proof(token, changes)), expected))
  }

  const BROKEN_TOKENS: Record<string, [Parameters<World['token']>[0], string]> = {
    'for another audience': [{ audience: `${RESOURCE}/` }, '401 audience_mismatch'],
    'that has expired': [{ expiresIn: -1 }, '401 token_expired'],
    'of another issuer': [{ claims: { iss: 'https://other.example' } }, '401 token_issuer_unknown'],
    'bound to nothing': [{ claims: { cnf: undefined } }, '401 token_not_bound'],
    'of another type': [{ header: { typ: 'id+jwt' } }, '401 token_type_unsupported'],
  }
  for (const [what, [changes, expected]] of Object.entries(BROKEN_TOKENS)) {
    it(`refuses a token ${what}`, () =>
      refuses(async () => world.askWith(await world.token(changes)), expected))
  }

  it('refuses a changed signature, of the token and of the proof', async () => {
    const flip = (jws: string) => jws.slice(0, -10) + (jws.at(-10) === 'A' ? 'B' : 'A') + jws.slice(-9)
    await refuses((token) => world.askWith(flip(token)), '401 token_signature_invalid')
    await refuses(
      async (token) => world.ask(`DPoP ${token}`, flip(await world.proof(token))),
      '401 proof_signature_invalid',
    )
  })

  it('answers garbage with a refusal, whatever it is', async () => {
    const garbage = [
      '',
      ' ',
      'DPoP',
      'DPoP ',
      'DPoP a.b.c',
      'DPoP ..',
      'DPoP é',
      'DPoP x, DPoP y',
      'Basic YTpi',
      '\u0000',
    ]
    for (const authorization of garbage) {
      for (const proof of ['', 'a.b.c', '..', 'e30.e30.AAAA', 'x'.repeat(20_000)]) {
        const verdict = await world.verify(authorization, proof)
        if (verdict.ok || verdict.status >= 500)
          throw new Error(`${authorization}: ${JSON.stringify(verdict)}`)
      }
    }
  })

  it('demands the scopes of the resource', async () => {
    const strict = await World.create({ scopes: ['mcp:admin'] })
    equal(await strict.askWith(await strict.token({ scope: 'mcp:admin' })), 'allowed')
    equal(await strict.askWith(await strict.token({ scope: 'mcp:read' })), '403 insufficient_scope')
    await strict.close()
  })

  it('demands a nonce of its own, and takes it back', async () => {
    const strict = await World.create({ nonce: { secrets: ['0123456789abcdef0123456789abcdef'] } })
    const token = await strict.token()
    const first = await strict.verify(`DPoP ${token}`, await strict.proof(token))
    equal(first.ok ? '' : first.reason, 'proof_nonce_required')
    const nonce = first.headers['DPoP-Nonce']
    equal(await strict.ask(`DPoP ${token}`, await strict.proof(token, { nonce })), 'allowed')
    equal(
      await strict.ask(`DPoP ${token}`, await strict.proof(token, { nonce: `${nonce}x` })),
      '401 proof_nonce_required',
    )
    await strict.close()
  })

  it('takes unbound tokens where it is told to, and bound ones with their proof alone', async () => {
    const lenient = await World.create({ dpop: 'when-bound' })
    equal(await lenient.ask(`Bearer ${await lenient.token({ claims: { cnf: undefined } })}`), 'allowed')
    equal(await lenient.ask(`Bearer ${await lenient.token()}`), '401 scheme_mismatch')
    await lenient.close()
  })

  it('says 503 while the keys cannot be had, and lets in again when they can', async () => {
    let now = Date.now() / 1000
    const stormy = await World.create({ clock: () => now }, { clock: () => now })
    const mend = stormy.issuer.fail('jwks')
    equal(await stormy.askWith(await stormy.token()), '503 keys_unavailable')
    mend()
    now += 60
    const token = await stormy.token()
    equal(await stormy.ask(`DPoP ${token}`, await stormy.proof(token, { iat: now })), 'allowed')
    await stormy.close()
  })

  it('takes the tokens of a new signing key, and none of a key that is gone', async () => {
    const rotating = await World.create()
    equal(await rotating.askWith(await rotating.token()), 'allowed')
    await rotating.issuer.rotateKeys()
    equal(await rotating.askWith(await rotating.token()), 'allowed')
    await rotating.close()
  })

  it('takes the token alone where that is all there is', async () => {
    const jwksUrl = `${ISSUER}/.well-known/jwks.json`
    const options = {
      jwksUrl,
      expectedIssuer: ISSUER,
      expectedAudience: RESOURCE,
      fetch: fetchFrom(world.issuer),
    }
    const claims = await decodeAgentToken(await world.token(), options)
    equal(claims.aud === RESOURCE || JSON.stringify(claims).includes(RESOURCE), true)
    await rejects(decodeAgentToken(await world.token({ audience: ISSUER }), options), /TokenError/)
  })

  it('names the option that is wrong, at start-up', () => {
    for (const options of [{ proofMaxAge: 301 }, { scopes: ['a b'] }, { unknown: 1 }] as object[]) {
      try {
        createGuard(RESOURCE, { issuer: ISSUER, ...options })
      } catch (error) {
        equal((error as Error).name, 'ConfigurationError')
        matches((error as Error).message, new RegExp(Object.keys(options)[0] as string))
        continue
      }
      throw new Error(`took ${JSON.stringify(options)}`)
    }
  })
}
