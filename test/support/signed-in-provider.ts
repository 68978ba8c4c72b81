import type { OAuthClientProvider } from '@modelcontextprotocol/client'

export interface SignInOptions {
  readonly scope?: string
  readonly metadata?: Readonly<Record<string, unknown>>
  /** Says yes for the user: what a browser would come back with. Default: follows the issuer's redirect. */
  readonly browse?: (url: URL) => Promise<URL>
  /** Default: a loopback address. */
  readonly redirectUrl?: string
}

/** Where an unattended issuer sends the user straight back to. */
async function followRedirect(url: URL): Promise<URL> {
  const { headers, status } = await fetch(url, { redirect: 'manual' })
  if (status !== 303) throw new Error(`no redirect: ${status}`)
  return new URL(headers.get('location') ?? '')
}

/** What an application has that signs users in with the SDK's own flow, of either line: nothing of it is ours. */
export class SignedInProvider implements OAuthClientProvider {
  readonly redirectUrl: string
  readonly #options: SignInOptions
  readonly #saved = new Map<string, unknown>()
  /** What the browser came back with, each time. */
  readonly answers: URLSearchParams[] = []

  constructor(options: SignInOptions = {}) {
    this.#options = options
    this.redirectUrl = options.redirectUrl ?? 'http://127.0.0.1:33418/callback'
  }

  get clientMetadata() {
    return {
      client_name: 'Stock client',
      redirect_uris: [this.redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      ...(this.#options.scope === undefined ? {} : { scope: this.#options.scope }),
      ...this.#options.metadata,
    }
  }

  state = () => `state-${this.answers.length}`
  clientInformation = () => this.#saved.get('client') as never
  saveClientInformation = (client: unknown) => void this.#saved.set('client', client)
  tokens = () => this.#saved.get('tokens') as never
  saveTokens = (tokens: unknown) => void this.#saved.set('tokens', tokens)
  codeVerifier = () => this.#saved.get('verifier') as string
  saveCodeVerifier = (verifier: string) => void this.#saved.set('verifier', verifier)

  async redirectToAuthorization(url: URL): Promise<void> {
    const expected = this.state()
    const { searchParams } = await (this.#options.browse ?? followRedirect)(url)
    if (searchParams.get('state') !== expected) throw new Error('the answer is to another question')
    this.answers.push(searchParams)
  }

  discoveryState = () => this.#saved.get('discovery') as never
  saveDiscoveryState = (state: unknown) => void this.#saved.set('discovery', state)
  invalidateCredentials(scope: string): void {
    const kept = { all: ['client', 'tokens', 'verifier', 'discovery'] }[scope] ?? [scope]
    for (const name of kept) this.#saved.delete(name)
  }
}
