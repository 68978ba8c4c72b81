import type { Call } from './call.ts'
import { findRefusal } from './challenge.ts'
import type { Clock } from './clock.ts'
import type { DPoPNonces } from './dpop-nonces.ts'
import type { DPoPProver } from './dpop-prover.ts'
import { AgentError } from './errors.ts'
import type { Fetch } from './fetch.ts'
import { followRedirect, isRedirect } from './redirect.ts'
import type { Token } from './token.ts'

/** Who calls, and with what. */
export interface Caller {
  readonly fetch: Fetch
  readonly prover: DPoPProver
  readonly nonces: DPoPNonces
  readonly clock: Clock
  token(): Promise<Pick<Token, 'accessToken'>>
  /** Another token to try after a refusal; undefined lets the refusal stand. Must give up after a few. */
  replace?(rejected: Pick<Token, 'accessToken'>, refusal: Response): Promise<Token | undefined>
}

const MAX_REDIRECTS = 5

/**
 * Sends a call with a token and a fresh proof for each attempt (RFC 9449 §7). Answers one nonce challenge per token and
 * URL (§9). Redirects within the origin are followed with a proof for the new URL; one that leads elsewhere is followed
 * as a plain fetch would, without token, proof or cookies. A refusal nothing can be done about is the caller's answer.
 */
export async function dpopFetch(call: Call, caller: Caller): Promise<Response> {
  const { signal } = call.init
  const replace = caller.replace ?? (async () => undefined)
  let nonceAnswered = false
  let redirects = 0
  try {
    signal?.throwIfAborted()
    let token = await unlessAborted(caller.token(), signal)
    for (;;) {
      const response = await send(call, caller, token.accessToken)
      const nonceGiven = caller.nonces.remember(call.url, response.headers)
      if (isRedirect(response)) {
        if (call.init.redirect === 'manual') return response
        const next = followRedirect(call, response)
        if (++redirects > MAX_REDIRECTS)
          throw new AgentError('redirect', `more than ${MAX_REDIRECTS} redirects`)
        discard(response)
        if (next.url.origin !== call.url.origin) return await leave(next, caller.fetch)
        call = next
        nonceAnswered = false
        continue
      }
      const asksForNonce = response.status === 401 && asksForNonceIn(response)
      const retry = asksForNonce
        ? nonceGiven && !nonceAnswered && token
        : await unlessAborted(replace(token, response), signal)
      if (!retry || call.body?.replayable === false) return response
      nonceAnswered = asksForNonce
      token = retry
      discard(response)
    }
  } finally {
    call.body?.release()
  }
}

/** What is waited for, unless the caller gives up first; others may still wait for the same. */
async function unlessAborted<Result>(
  work: Promise<Result>,
  signal: AbortSignal | null | undefined,
): Promise<Result> {
  if (!signal) return work
  let abort = () => {}
  const aborted = new Promise<never>((_resolve, reject) => {
    abort = () => reject(signal.reason)
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort)
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

async function send(call: Call, caller: Caller, accessToken: string): Promise<Response> {
  const { url, method, init } = call
  const nonce = caller.nonces.get(url)
  const proof = await caller.prover.createProof({ method, url, accessToken, nonce, iat: caller.clock() })
  const headers = new Headers(call.headers)
  headers.set('authorization', `DPoP ${accessToken}`)
  headers.set('dpop', proof)
  return caller.fetch(url.href, { ...init, ...openBody(call), method, headers, redirect: 'manual' })
}

async function leave(call: Call, fetchFn: Fetch): Promise<Response> {
  const headers = new Headers(call.headers)
  for (const name of ['authorization', 'dpop', 'cookie', 'proxy-authorization']) headers.delete(name)
  return fetchFn(call.url.href, {
    ...call.init,
    ...openBody(call),
    method: call.method,
    headers,
    redirect: 'follow',
  })
}

function openBody({ body }: Call): RequestInit {
  return body === undefined ? {} : { body: body.open(), duplex: 'half' }
}

function asksForNonceIn(response: Response): boolean {
  return findRefusal(response.headers)?.params.get('error') === 'use_dpop_nonce'
}

/** Frees the connection of an answer nobody will read. */
function discard(response: Response): void {
  response.body?.cancel().catch(() => undefined)
}
