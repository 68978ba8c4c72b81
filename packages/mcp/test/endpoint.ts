import { type GuardedHandler, type McpGuardOptions, sharkGuard } from '@sharkguard/mcp'
import { Exchange } from '../../../test/support/exchange.ts'

type Handler = Extract<Parameters<typeof sharkGuard>[0], (...args: never[]) => unknown>

/** A guarded endpoint, what its handler was given, and valid requests to it. */
export class Endpoint {
  readonly exchange: Exchange
  readonly guarded: GuardedHandler
  /** What the handler was given, request by request. */
  readonly seen: { client: string | undefined; body: unknown }[] = []

  private constructor(exchange: Exchange, options: McpGuardOptions, handler?: Handler) {
    this.exchange = exchange
    const handle: Handler = async (request, given) => {
      const text = await request.clone().text()
      this.seen.push({
        client: given?.authInfo?.clientId,
        body: given?.parsedBody ?? (text === '' ? undefined : text),
      })
      return handler ? handler(request, given) : Response.json({ client: given?.authInfo?.clientId ?? null })
    }
    this.guarded = sharkGuard(handle, exchange.resource, {
      issuer: exchange.issuer,
      revocation: 'off',
      clock: () => exchange.now(),
      ...options,
    })
  }

  static async start(options: McpGuardOptions = {}, handler?: Handler): Promise<Endpoint> {
    return new Endpoint(await Exchange.start('https://mcp.example.com/mcp'), options, handler)
  }

  async close(): Promise<void> {
    await this.guarded.close()
    await this.exchange.close()
  }

  /** A request with a valid token and proof; claims of the token, header fields and method may be given. */
  send(
    body: unknown,
    {
      claims = {},
      headers = {},
      method = 'POST',
    }: { claims?: object; headers?: Record<string, string>; method?: string } = {},
  ): Promise<Response> {
    const { exchange } = this
    const token = exchange.token({ claims: claims as never })
    const proof = exchange.proof(token, { method })
    return this.sendAnonymously(body, {
      method,
      headers: { ...exchange.headers({ token, proof }), ...headers },
    })
  }

  sendAnonymously(
    body: unknown,
    { headers = {}, method = 'POST' }: { headers?: Record<string, string>; method?: string } = {},
  ): Promise<Response> {
    const sent = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }
    return this.guarded.fetch(new Request('http://internal:8080/mcp', { method, headers, ...sent }))
  }
}

export const rpc = (method: string, params: unknown = {}) => ({ jsonrpc: '2.0', id: 1, method, params })
export const callTool = (name: unknown) => rpc('tools/call', { name })
