/** An error of RFC 6749 §5.2 and the RFCs that extend it, with the status it goes out with. */
export class OAuthError extends Error {
  override readonly name = 'OAuthError'
  readonly error: string
  readonly status: 400 | 401 | 403 | 404 | 405 | 413 | 415 | 429 | 503
  readonly headers: Readonly<Record<string, string>>

  /** @param description static text; never anything of the request */
  constructor(
    error: string,
    description: string,
    options: { status?: OAuthError['status']; headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(description)
    this.error = error
    this.status = options.status ?? 400
    this.headers = options.headers ?? {}
  }
}

export const invalidRequest = (description: string) => new OAuthError('invalid_request', description)
export const invalidGrant = (description: string) => new OAuthError('invalid_grant', description)
export const invalidTarget = (description: string) => new OAuthError('invalid_target', description)

/** RFC 6749 §5.2: 401, with a challenge in the scheme that clients authenticate with. */
export const invalidClient = () =>
  new OAuthError('invalid_client', 'Client authentication failed', {
    status: 401,
    headers: { 'WWW-Authenticate': 'Basic realm="oauth"' },
  })

/** Nothing can be said until the store answers, or has room, again. */
export const temporarilyUnavailable = () =>
  new OAuthError('temporarily_unavailable', 'Come back in a moment', {
    status: 503,
    headers: { 'Retry-After': '1' },
  })
