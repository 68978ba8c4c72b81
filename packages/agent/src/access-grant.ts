import type { Clock } from './clock.ts'
import { AgentError, OAuthError } from './errors.ts'
import { SharedAttempts } from './shared-attempts.ts'
import type { Token } from './token.ts'

/** Renewed this many seconds before the end, or in the last fifth of a short life. */
const RENEWAL_WINDOW = 30
/** Seconds: a request, and once more with the nonce that was asked for. */
const LONGEST_REQUEST = 61

/**
 * The one token an agent works with, its renewal and its widening. Concurrent callers share one request per set of
 * scopes.
 */
export class AccessGrant {
  readonly #request: (scopes: readonly string[]) => Promise<Token>
  readonly #clock: Clock
  readonly #requests = new SharedAttempts<Token>(LONGEST_REQUEST)
  readonly #widenings = new SharedAttempts<Token | undefined>(LONGEST_REQUEST)
  #scopes: readonly string[]
  #token: Token | undefined
  #closed = false

  constructor(
    request: (scopes: readonly string[]) => Promise<Token>,
    scopes: readonly string[],
    clock: Clock,
  ) {
    this.#request = request
    this.#scopes = scopes
    this.#clock = clock
  }

  /** A token that is still good for a while. When renewing fails, the old one is used to its end. */
  async current(): Promise<Token> {
    this.#requireOpen()
    const token = this.#token
    const left = token === undefined ? 0 : this.#secondsLeft(token)
    if (token !== undefined && left > Math.min(RENEWAL_WINDOW, (token.expiresIn ?? 0) / 5)) return token
    try {
      return await this.#obtain(this.#scopes)
    } catch (error) {
      if (token !== undefined && token === this.#token && this.#secondsLeft(token) > 0) return token
      throw error
    }
  }

  /** Another token than the one a server rejected; undefined when the issuer gives none. */
  async renew(rejected: Pick<Token, 'accessToken'>): Promise<Token | undefined> {
    if (this.#token !== undefined && this.#token.accessToken !== rejected.accessToken) return this.#token
    this.#token = undefined
    return this.#tryObtain(this.#scopes)
  }

  /**
   * A token that has the `needed` scopes too (step-up); undefined when they were asked for already, or are refused. One
   * after the other, so that each adds to the one before.
   */
  async widen(rejected: Pick<Token, 'accessToken'>, needed: readonly string[]): Promise<Token | undefined> {
    for (;;) {
      const missing = needed.filter((scope) => !this.#scopes.includes(scope))
      if (missing.length === 0) {
        const another = this.#token !== undefined && this.#token.accessToken !== rejected.accessToken
        return another ? this.#token : undefined
      }
      let ours = false
      const widening = this.#widenings.run(() => {
        ours = true
        return this.#tryObtain([...this.#scopes, ...missing])
      })
      const token = await widening.catch((error) => {
        if (ours) throw error
        return undefined
      })
      if (ours) return token
    }
  }

  close(): void {
    this.#closed = true
    this.#token = undefined
  }

  async #tryObtain(scopes: readonly string[]): Promise<Token | undefined> {
    try {
      return await this.#obtain(scopes)
    } catch (error) {
      if (error instanceof OAuthError || (error instanceof AgentError && error.code === 'network'))
        return undefined
      throw error
    }
  }

  async #obtain(scopes: readonly string[]): Promise<Token> {
    this.#requireOpen()
    return this.#requests.run(
      async () => {
        const token = await this.#request(scopes)
        this.#requireOpen()
        // A renewal that was overtaken by a widening does not undo it.
        if (scopes.length < this.#scopes.length) return token
        this.#token = token
        this.#scopes = scopes
        return token
      },
      [...scopes].sort().join(' '),
    )
  }

  /** A token whose end is unknown is used until it is refused. */
  #secondsLeft({ expiresAt = Number.POSITIVE_INFINITY }: Token): number {
    return expiresAt - this.#clock()
  }

  #requireOpen(): void {
    if (this.#closed) throw new AgentError('closed', 'the agent is closed; start another one')
  }
}
