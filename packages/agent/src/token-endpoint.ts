import { authenticate, type ClientAuthentication } from './client-authentication.ts'
import type { Clock } from './clock.ts'
import type { DPoPNonces } from './dpop-nonces.ts'
import type { DPoPProver } from './dpop-prover.ts'
import { isRecord, parseOAuthError } from './errors.ts'
import type { Fetch } from './fetch.ts'
import { exchangeJson } from './json-exchange.ts'
import { parseToken, type Token } from './token.ts'

/** Fields of a form request; a list repeats the field, undefined leaves it out. */
export type FormFields = Readonly<Record<string, string | readonly string[] | undefined>>

export interface TokenEndpointContext {
  readonly endpoint: string
  readonly fetch: Fetch
  readonly clock: Clock
  readonly nonces: DPoPNonces
}

/**
 * One token request, with a proof when there is a prover, and once more with the nonce the server asks for (RFC 9449
 * §8). Throws {@link OAuthError} for the server's errors and {@link AgentError} for everything else.
 */
export async function requestToken(
  context: TokenEndpointContext,
  fields: FormFields,
  client: ClientAuthentication,
  prover: DPoPProver | undefined,
): Promise<Token> {
  const { endpoint, nonces, clock } = context
  const form = createForm(fields)
  const headers = new Headers({ accept: 'application/json' })
  authenticate(client, form, headers)
  for (let attempt = 1; ; attempt++) {
    const sentAt = clock()
    if (prover !== undefined) {
      const nonce = nonces.get(endpoint)
      headers.set('dpop', await prover.createProof({ method: 'POST', url: endpoint, nonce, iat: sentAt }))
    }
    const answer = await exchangeJson(context.fetch, endpoint, { method: 'POST', headers, body: form })
    const nonceGiven = nonces.remember(endpoint, answer.headers)
    if (answer.status === 200) {
      return parseToken(answer.body, { jkt: prover?.jkt, scope: form.get('scope') ?? '', sentAt })
    }
    const asksForNonce = isRecord(answer.body) && answer.body.error === 'use_dpop_nonce'
    if (!asksForNonce || !nonceGiven || prover === undefined || attempt === 2) {
      throw parseOAuthError(answer.status, answer.body, secretsOf(form, client))
    }
  }
}

export function createForm(fields: FormFields): URLSearchParams {
  const form = new URLSearchParams()
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue
    for (const item of Array.isArray(value) ? value : [value]) form.append(name, String(item))
  }
  return form
}

/** What an error message must not repeat. */
export function secretsOf(form: URLSearchParams, client?: Partial<ClientAuthentication>): string[] {
  const names = [
    'assertion',
    'client_assertion',
    'code',
    'code_verifier',
    'password',
    'refresh_token',
    'token',
  ]
  const sent = [...names, 'subject_token', 'actor_token'].map((name) => form.get(name) ?? '')
  return [client?.clientSecret ?? '', ...sent].filter((secret) => secret !== '')
}
