import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { base64url, generateKeyPair, type KeyPair, signText } from '../support/exchange.ts'

const encode = (value: object) => JSON.stringify(value)

/** What a stock SharkAuth server knows of a token: a row, and whether it was revoked. */
interface Row {
  readonly jti: string
  readonly clientId: string
  readonly scope: string
  readonly iat: number
  readonly exp: number
  readonly resource: string
  revoked: boolean
}

/**
 * A stock SharkAuth server as far as a resource server sees it, from its wire contract: no revocation list, no status
 * lists, `typ: JWT`, and introspection that any client may ask, whose answer has neither `cnf` nor `act` nor, for
 * client_credentials, `sub`.
 */
export class SharkAuthServer {
  readonly url: string
  readonly asked: string[] = []
  /** What it answers to whoever introspects, instead of what it knows. */
  introspection: ((req: IncomingMessage) => { status: number; body: string } | 'hang') | undefined
  readonly #rows = new Map<string, Row>()
  readonly #key: KeyPair = generateKeyPair('ES256', 'shark-es256-kid1')
  readonly #server: ReturnType<typeof createServer>

  private constructor(server: ReturnType<typeof createServer>) {
    this.#server = server
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    server.on('request', async (req, res) => {
      const chunks: Buffer[] = []
      for await (const chunk of req) chunks.push(chunk)
      const answer = this.#answer(req, new URLSearchParams(Buffer.concat(chunks).toString()))
      if (answer === 'hang') return
      const type = answer.body.startsWith('<') ? 'text/html' : 'application/json'
      res.writeHead(answer.status, { 'content-type': type, 'cache-control': 'no-store' }).end(answer.body)
    })
  }

  static async start(): Promise<SharkAuthServer> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return new SharkAuthServer(server)
  }

  /** An access token as its token exchange makes them, the only ones that are bound to an audience. */
  mint({ clientId, resource, jkt }: { clientId: string; resource: string; jkt: string }): string {
    const iat = Math.floor(Date.now() / 1000)
    const row = {
      jti: base64url(crypto.getRandomValues(new Uint8Array(16))).slice(0, 21),
      clientId,
      resource,
    }
    const times = { iat, exp: iat + 900, scope: 'mcp:read' }
    const claims = {
      iss: this.url,
      sub: 'usr_1',
      aud: resource,
      client_id: clientId,
      jti: row.jti,
      ...times,
      cnf: { jkt },
      act: { sub: clientId, jkt },
      agent_id: 'agent_1',
    }
    this.#rows.set(row.jti, { ...row, ...times, revoked: false })
    return signText(encode({ alg: 'ES256', typ: 'JWT', kid: this.#key.kid }), encode(claims), this.#key)
  }

  /** Its layers end rows; nothing tells anybody. */
  revoke(matches: (row: Row) => boolean): void {
    for (const row of this.#rows.values()) if (matches(row)) row.revoked = true
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #answer(req: IncomingMessage, form: URLSearchParams) {
    const json = (body: object, status = 200) => ({ status, body: encode(body) })
    if (req.url === '/.well-known/oauth-authorization-server') {
      const names = ['jwks_uri:/.well-known/jwks.json', 'introspection_endpoint:/oauth/introspect']
      const endpoints = names.map((entry) => entry.split(':') as [string, string])
      return json({
        issuer: this.url,
        ...Object.fromEntries(endpoints.map(([name, path]) => [name, this.url + path])),
        dpop_signing_alg_values_supported: ['ES256', 'RS256'],
      })
    }
    if (req.url === '/.well-known/jwks.json') {
      const { publicJwk, kid } = this.#key
      return json({ keys: [{ ...publicJwk, use: 'sig', alg: 'ES256', kid }] })
    }
    if (req.url !== '/oauth/introspect' || req.method !== 'POST') return json({ error: 'not_found' }, 404)
    const token = form.get('token') ?? ''
    this.asked.push(token)
    const instead = this.introspection?.(req)
    if (instead !== undefined) return instead
    if (req.headers.authorization !== `Basic ${btoa('shark_agent_rs:secret')}`) {
      return json({ error: 'invalid_client', error_description: 'client authentication failed' }, 401)
    }
    return json(this.#introspect(token))
  }

  #introspect(token: string): object {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString() || '{}')
    const row = this.#rows.get(claims.jti)
    if (row === undefined || row.revoked || row.exp <= Date.now() / 1000) return { active: false }
    return {
      active: true,
      scope: row.scope,
      client_id: row.clientId,
      exp: row.exp,
      iat: row.iat,
      nbf: row.iat,
      aud: row.resource,
      iss: this.url,
      jti: row.jti,
      token_type: 'Bearer',
      agent_id: 'agent_1',
    }
  }
}
