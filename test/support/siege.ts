import {
  createGuard,
  type Guard,
  type GuardOptions,
  type GuardRequest,
  type Reason,
  type Verdict,
} from '@sharkguard/core'
import { expect } from 'vitest'
import { parseChallenges } from './challenges.ts'
import { Exchange } from './exchange.ts'

export interface Expected {
  readonly status?: number
  readonly error?: string | undefined
  readonly scheme?: 'DPoP' | 'Bearer'
}

const PROOF_ERRORS = /^proof_(?!key_mismatch|nonce_required)/
const REQUEST_ERRORS = /^(target_ambiguous|credentials_ambiguous|credentials_malformed)$/

/** A guard, and everything that attacks on it have in common: what a refusal must look like, and what it must not do. */
export class Siege {
  readonly exchange: Exchange
  readonly guard: Guard
  /** Keys that were claimed in the replay store. */
  readonly claims: string[] = []

  private constructor(exchange: Exchange, options: GuardOptions) {
    this.exchange = exchange
    const used = new Set<string>()
    const replayStore = {
      claim: (key: string) => {
        this.claims.push(key)
        if (used.has(key)) return 'replayed' as const
        used.add(key)
        return 'fresh' as const
      },
    }
    this.guard = createGuard(exchange.resource, {
      issuer: exchange.issuer,
      revocation: 'off',
      replayStore,
      clock: () => exchange.now(),
      ...options,
    })
  }

  static async start(options: GuardOptions = {}, exchange?: Exchange): Promise<Siege> {
    return new Siege(exchange ?? (await Exchange.start()), options)
  }

  /** Another guard before the same issuer. */
  beside(options: GuardOptions): Siege {
    return new Siege(this.exchange, options)
  }

  async close(): Promise<void> {
    await this.guard.close()
    await this.exchange.close()
  }

  async allows(request: GuardRequest = this.exchange.request()): Promise<void> {
    const verdict = await this.guard.verify(request)
    expect(verdict.ok ? 'allowed' : verdict.reason).toBe('allowed')
  }

  /** Lets a valid request in, and then refuses this one as it should be refused. */
  async refuses(request: GuardRequest, reason: Reason, expected: Expected = {}): Promise<void> {
    await this.allows()
    const claimed = this.claims.length
    const verdict = await this.guard.verify(request)
    expect(verdict.ok ? 'allowed' : verdict.reason).toBe(reason)
    expectRefusal(verdict, request, { ...usual(reason), ...expected })
    // What is refused for anything else can neither fill the store nor burn a proof.
    expect(this.claims.length - claimed).toBe(reason === 'proof_replayed' ? 1 : 0)
  }

  /** The valid request with one thing else about its token, rightly signed and rightly proven. */
  withToken(changes: Parameters<Exchange['token']>[0]): GuardRequest {
    return this.exchange.request({ token: this.exchange.token(changes) })
  }

  /** The valid request with one thing else about its proof, rightly signed. */
  withProof(changes: Parameters<Exchange['proof']>[1]): GuardRequest {
    const token = this.exchange.token()
    return this.exchange.request({ token, proof: this.exchange.proof(token, changes) })
  }
}

function usual(reason: Reason): Expected {
  if (reason === 'credentials_missing') return { status: 401, error: undefined }
  if (reason === 'insufficient_scope') return { status: 403, error: 'insufficient_scope' }
  if (REQUEST_ERRORS.test(reason)) return { status: 400, error: 'invalid_request' }
  return { status: 401, error: PROOF_ERRORS.test(reason) ? 'invalid_dpop_proof' : 'invalid_token' }
}

/** A refusal has the status, a challenge by the grammar with the error, the same in its body, and nothing of the request. */
export function expectRefusal(verdict: Verdict, request: GuardRequest, expected: Expected): void {
  if (verdict.ok) throw new Error('allowed')
  const { status, headers, body } = verdict
  expect(status).toBe(expected.status)
  const challenges = parseChallenges(headers['WWW-Authenticate'] as string)
  const challenge = challenges.find(({ scheme }) => scheme === (expected.scheme ?? 'DPoP'))
  expect(challenge?.parameters.error).toBe(expected.error)
  expect(challenge?.parameters.resource_metadata).toMatch(/^https?:\/\/.*oauth-protected-resource/)
  expect((JSON.parse(body) as { error?: string }).error).toBe(expected.error)
  expect(headers['Cache-Control']).toBe('no-store')
  expect(headers['Access-Control-Expose-Headers']).toContain('WWW-Authenticate')
  expectNoEcho(JSON.stringify(headers) + body, request)
}

/** No piece of what was sent in credentials comes back. */
export function expectNoEcho(answer: string, request: GuardRequest): void {
  for (const [, value] of request.headers as [string, string][]) {
    for (const piece of value.split(/[\s.,="]+/)) if (piece.length > 6) expect(answer).not.toContain(piece)
  }
}
