import { CompactSign, compactVerify, generateKeyPair, type JWTPayload } from 'jose'
import type { IssuerMetadata } from '../../src/keys.ts'
import { Refusal, Unavailable } from '../../src/refusal.ts'
import type { RevocationContext } from '../../src/revocation/source.ts'
import { ISSUER, NOW } from './tokens.ts'

export const LIST_URI = `${ISSUER}/oauth/revocations`
const issuerKey = await generateKeyPair('ES256')
export const strangersKey = await generateKeyPair('ES256')

/** Signatures that are being made or verified, and the like: they take real time, whatever the test's clock says. */
let underWay = 0
export async function counted<T>(work: Promise<T>): Promise<T> {
  underWay++
  try {
    return await work
  } finally {
    underWay--
  }
}

const realImmediate = setImmediate
/** When nothing is left to do but wait: for a timer, or for an answer that the test has to give. */
export async function idle(): Promise<void> {
  for (let quiet = 0; quiet < 5; quiet = underWay > 0 ? 0 : quiet + 1)
    await new Promise<void>((resolve) => realImmediate(resolve))
}

/** Signs claims as the issuer would, unless a key is given. */
export function sign(claims: object, typ: string, { privateKey } = issuerKey): Promise<string> {
  const payload = new TextEncoder().encode(JSON.stringify(claims))
  return counted(new CompactSign(payload).setProtectedHeader({ alg: 'ES256', typ }).sign(privateKey))
}

type Answer = (url: URL, init: RequestInit) => Response | Promise<Response>

/** What a source reaches the world through: a clock to turn, answers to give, and what was asked and reported. */
export class FakeContext implements RevocationContext {
  readonly issuer = ISSUER
  now = NOW
  answer: Answer
  advertises: Partial<IssuerMetadata> | undefined = { revocation_list_uri: LIST_URI }
  readonly requests: URL[] = []
  readonly reports: string[] = []

  constructor(answer: Answer = () => new Response(null, { status: 500 })) {
    this.answer = answer
  }

  readonly clock = () => this.now

  readonly metadata = async (): Promise<IssuerMetadata> => {
    if (this.advertises === undefined) throw new Unavailable('keys_unavailable')
    return { issuer: ISSUER, ...this.advertises }
  }

  readonly verifyJwt = async (jwt: string, type: string): Promise<JWTPayload> => {
    try {
      const { payload, protectedHeader } = await counted(compactVerify(jwt, issuerKey.publicKey))
      if (protectedHeader.typ !== type) throw new TypeError(`typ is not ${type}`)
      return JSON.parse(new TextDecoder().decode(payload))
    } catch (error) {
      throw new Refusal('token_signature_invalid', (error as Error).message)
    }
  }

  readonly fetch = async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const url = new URL(String(input))
    this.requests.push(url)
    return await this.answer(url, init)
  }

  readonly report = (problem: string): void => {
    this.reports.push(problem)
  }
}
