import type { RunningIssuer } from '../../src/index.ts'

/** RFC 7636 appendix B. */
const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
export const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
export const RESOURCE = 'https://mcp.example/mcp'

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** Where it redirects to. */
  readonly location: string | undefined
  /** Parameters of where it redirects to. */
  readonly parameters: Record<string, string>
}

/** As little of a browser as the pages need: cookies, and forms of a page posted to where it came from. */
export class Browser {
  readonly #cookies = new Map<string, string>()
  #url = ''
  #page = ''

  get cookies(): ReadonlyMap<string, string> {
    return this.#cookies
  }

  async open(url: string): Promise<Answer> {
    this.#url = url
    return this.#send(url, {})
  }

  /** Presses a button of the page that is open. */
  press(action: string, fields: Record<string, string> = {}): Promise<Answer> {
    const csrf = /name="csrf" value="([^"]*)"/.exec(this.#page)?.[1] ?? ''
    return this.post({ csrf, action, ...fields })
  }

  post(fields: Record<string, string>, url = this.#url): Promise<Answer> {
    return this.#send(url, { method: 'POST', body: new URLSearchParams(fields) })
  }

  /** Follows a redirect to the issuer's own page. */
  follow({ location }: Answer): Promise<Answer> {
    return this.open(new URL(location ?? '', this.#url).href)
  }

  async logIn(url: string, username = 'alice', password = 'correct horse'): Promise<Answer> {
    await this.open(url)
    return this.follow(await this.press('login', { username, password }))
  }

  async #send(url: string, init: RequestInit): Promise<Answer> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(url, { ...init, redirect: 'manual', headers: { cookie } })
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';')
      const [name = '', value = ''] = pair.split('=')
      this.#cookies.set(name, value)
    }
    const text = await response.text()
    if (text !== '') this.#page = text
    const location = response.headers.get('location') ?? undefined
    const parameters = location?.includes('://') ? Object.fromEntries(new URL(location).searchParams) : {}
    return { status: response.status, headers: response.headers, text, location, parameters }
  }
}

export interface RegisteredClient {
  readonly client_id: string
  readonly client_secret?: string
  readonly registration_access_token: string
  readonly registration_client_uri: string
  readonly [member: string]: unknown
}

/** Registers a public client; `metadata` over its own. */
export async function register(issuer: Pick<RunningIssuer, 'url'>, metadata = {}): Promise<RegisteredClient> {
  const response = await fetch(`${issuer.url}/oauth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      client_name: 'Notes',
      redirect_uris: ['https://client.example/callback'],
      token_endpoint_auth_method: 'none',
      ...metadata,
    }),
  })
  if (response.status !== 201) throw new Error(await response.text())
  return (await response.json()) as RegisteredClient
}

type Parameters = Record<string, string | readonly string[] | undefined>

/** An authorization request that is as it should be, with `changes`; `undefined` leaves one out. */
export function authorizeUrl(
  issuer: Pick<RunningIssuer, 'url'>,
  clientId: string,
  changes: Parameters = {},
): string {
  const parameters: Parameters = {
    response_type: 'code',
    client_id: clientId,
    redirect_uri: 'https://client.example/callback',
    scope: 'notes:read',
    state: 'st<a>te&1',
    resource: RESOURCE,
    code_challenge: CHALLENGE,
    code_challenge_method: 'S256',
    ...changes,
  }
  const url = new URL(`${issuer.url}/oauth/authorize`)
  for (const [name, values] of Object.entries(parameters)) {
    for (const value of values === undefined ? [] : [values].flat()) url.searchParams.append(name, value)
  }
  return url.href
}
