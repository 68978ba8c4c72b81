import { createCall } from './call.ts'
import { type Clock, createClock } from './clock.ts'
import { dpopFetch } from './dpop-fetch.ts'
import { DPoPNonces } from './dpop-nonces.ts'
import type { DPoPProver } from './dpop-prover.ts'
import { AgentError } from './errors.ts'
import { type Fetch, globalFetch } from './fetch.ts'
import { requireKnown } from './known-options.ts'
import { parseHttpUrl } from './request-target.ts'
import type { Token } from './token.ts'

/** Durations in seconds. */
export interface DPoPHttpClientOptions {
  /** Where the client is made from options alone. */
  readonly baseUrl?: string | URL
  /** Seconds until the answer must have begun; its body may take longer. Default: 30. */
  readonly timeout?: number
  readonly fetch?: Fetch
  /** Seconds since the epoch. */
  readonly clock?: Clock
}

/** One request, and the token and key it is sent with. */
export interface DPoPRequest {
  readonly token: string | Token
  readonly prover: DPoPProver
  /** Sent as the JSON body. */
  readonly json?: unknown
  /** Sent as it is. */
  readonly body?: RequestInit['body']
  readonly headers?: RequestInit['headers']
  readonly signal?: AbortSignal
}

const OPTIONS: Record<keyof DPoPHttpClientOptions, true> = {
  baseUrl: true,
  timeout: true,
  fetch: true,
  clock: true,
}

const REQUEST: Record<keyof DPoPRequest, true> = {
  token: true,
  prover: true,
  json: true,
  body: true,
  headers: true,
  signal: true,
}

/**
 * Calls one server with tokens you already have: a fresh proof for each attempt, its nonces answered once. Resolves
 * with the server's answer, whatever its status. Renews nothing: `Agent` does. Token and proof go to the origin of
 * `baseUrl` and nowhere else.
 */
export class DPoPHttpClient {
  readonly #base: URL
  readonly #timeout: number
  readonly #fetch: Fetch
  readonly #clock: Clock
  readonly #nonces = new DPoPNonces()

  constructor(
    base: string | URL | (DPoPHttpClientOptions & { readonly baseUrl: string | URL }),
    more: DPoPHttpClientOptions = {},
  ) {
    const options = typeof base === 'string' || base instanceof URL ? { ...more, baseUrl: base } : base
    requireKnown('DPoPHttpClient', options, OPTIONS)
    this.#base = parseHttpUrl(options.baseUrl, 'baseUrl')
    this.#timeout = options.timeout ?? 30
    this.#fetch = options.fetch ?? globalFetch
    this.#clock = createClock(options.clock)
  }

  /** `path` is appended to the base URL, here and below; an absolute URL must be at its origin. */
  request(method: string, path: string, request: DPoPRequest): Promise<Response> {
    return this.#send(method, path, request)
  }

  get(path: string, request: DPoPRequest): Promise<Response> {
    return this.#send('GET', path, request)
  }

  post(path: string, request: DPoPRequest): Promise<Response> {
    return this.#send('POST', path, request)
  }

  put(path: string, request: DPoPRequest): Promise<Response> {
    return this.#send('PUT', path, request)
  }

  patch(path: string, request: DPoPRequest): Promise<Response> {
    return this.#send('PATCH', path, request)
  }

  delete(path: string, request: DPoPRequest): Promise<Response> {
    return this.#send('DELETE', path, request)
  }

  /** {@link DPoPHttpClient.get} under SharkAuth's name. */
  getWithDpop(path: string, request: DPoPRequest): Promise<Response> {
    return this.get(path, request)
  }

  /** {@link DPoPHttpClient.post} under SharkAuth's name. */
  postWithDpop(path: string, request: DPoPRequest): Promise<Response> {
    return this.post(path, request)
  }

  /** {@link DPoPHttpClient.delete} under SharkAuth's name. */
  deleteWithDpop(path: string, request: DPoPRequest): Promise<Response> {
    return this.delete(path, request)
  }

  async #send(method: string, path: string, request: DPoPRequest): Promise<Response> {
    requireKnown('a request', request, REQUEST)
    const { token, prover, json } = request
    if (prover === undefined) throw new AgentError('configuration', 'prover must be a DPoPProver')
    const accessToken = typeof token === 'string' ? token : token?.accessToken
    if (typeof accessToken !== 'string' || accessToken === '') {
      throw new AgentError('configuration', 'token must be an access token, as a string or a Token')
    }
    if (json !== undefined && request.body !== undefined) {
      throw new AgentError('configuration', 'give json or body, not both')
    }
    const headers = new Headers(request.headers)
    if (json !== undefined && !headers.has('content-type')) headers.set('content-type', 'application/json')
    const timer = new AbortController()
    const timeout = setTimeout(() => {
      timer.abort(new AgentError('network', `no answer within ${this.#timeout} s`))
    }, this.#timeout * 1000)
    const signal = request.signal ? AbortSignal.any([timer.signal, request.signal]) : timer.signal
    const body = json === undefined ? request.body : JSON.stringify(json)
    try {
      const call = await createCall(this.#resolve(path), {
        method,
        headers,
        signal,
        ...(body !== undefined && { body, duplex: 'half' }),
      })
      return await dpopFetch(call, {
        fetch: this.#fetch,
        prover,
        nonces: this.#nonces,
        clock: this.#clock,
        token: async () => ({ accessToken }),
      })
    } finally {
      clearTimeout(timeout)
    }
  }

  #resolve(path: string): URL {
    const { origin, pathname } = this.#base
    const prefix = pathname.replace(/\/$/, '')
    const url = /^https?:/i.test(path)
      ? parseHttpUrl(path, 'path')
      : new URL(origin + (path === '' ? pathname : prefix + (path.startsWith('/') ? path : `/${path}`)))
    if (url.origin === origin) return url
    throw new AgentError('configuration', `path must stay at ${origin}: the token is for no other origin`)
  }
}
