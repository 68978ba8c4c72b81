/** Where something went wrong; `'oauth'` is the issuer or the server saying no, see {@link OAuthError}. */
export type AgentErrorCode =
  | 'closed'
  | 'configuration'
  | 'credentials_file'
  | 'discovery'
  | 'network'
  | 'oauth'
  | 'protocol'
  | 'redirect'
  | 'registration'

/** What this package throws. The message says what to do; no message holds a token, a secret or a proof. */
export class AgentError extends Error {
  override readonly name: string = 'AgentError'
  readonly code: AgentErrorCode

  constructor(code: AgentErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

/** An error answer of an authorization server (RFC 6749 §5.2) or of its admin API. */
export class OAuthError extends AgentError {
  override readonly name = 'OAuthError'
  /** The `error` code; `'invalid_response'` when the answer had none. */
  readonly error: string
  readonly errorDescription: string | undefined
  /** HTTP status of the answer. */
  readonly status: number

  constructor(answer: { error: string; errorDescription?: string | undefined; status: number }) {
    const advice = ADVICE[answer.error]
    super(
      'oauth',
      [
        `${answer.error} (HTTP ${answer.status})`,
        answer.errorDescription && `: ${answer.errorDescription}`,
        advice && `; ${advice}`,
      ].join(''),
    )
    this.error = answer.error
    this.errorDescription = answer.errorDescription
    this.status = answer.status
  }
}

const ADVICE: Readonly<Record<string, string | undefined>> = {
  invalid_client: 'check the client id and secret, and the authMethod the client is registered for',
  invalid_dpop_proof: "check this machine's clock, and that the server knows the URL it is called at",
  invalid_response: 'check that the URL is that of an authorization server',
  invalid_scope: 'ask for scopes the client is registered for',
  invalid_target: 'check that the issuer issues tokens for this resource',
  unauthorized: 'check the admin key',
  unauthorized_client: 'register the client for this grant type',
}

/**
 * The error an answer carries: `{ error, error_description }`, or an admin API's `{ error, message }`, flat or nested.
 * A server that echoes what it was sent must not bring a secret into a log: each of `secrets` is cut out, unless it is so short
 * that it hides nothing and occurs in any text.
 */
export function parseOAuthError(status: number, body: unknown, secrets: readonly string[]): OAuthError {
  const outer = isRecord(body) ? body : {}
  const inner = isRecord(outer.error) ? outer.error : outer
  const error = text(inner.error ?? inner.code, secrets) ?? 'invalid_response'
  const errorDescription = text(inner.error_description ?? inner.message, secrets)
  return new OAuthError({ error, errorDescription, status })
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Something a server named, fit for a message. */
export function quoted(value: unknown): string {
  return JSON.stringify(text(value, []) ?? null)
}

function text(value: unknown, secrets: readonly string[]): string | undefined {
  if (typeof value !== 'string' || value === '') return undefined
  const clean = secrets.reduce(
    (rest, secret) => (secret.length > 2 ? rest.replaceAll(secret, '[secret]') : rest),
    value,
  )
  return clean.replace(/[^\x20-\x7e]/g, ' ').slice(0, 300)
}
