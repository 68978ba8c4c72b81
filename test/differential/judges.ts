import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createGuard, type GuardRequest } from '@sharkguard/core'
import express, { type Response as Answer, type Request as ExpressRequest, type NextFunction } from 'express'
import { auth } from 'express-oauth2-jwt-bearer'
import {
  allowInsecureRequests,
  type ExportedJWKSCache,
  jwksCache,
  validateJwtAccessToken,
} from 'oauth4webapi'
import { Exchange } from '../support/exchange.ts'
import { sendRaw } from '../support/hosts.ts'

export const PEERS = ['oauth4webapi', 'express-oauth2-jwt-bearer'] as const
export type Peer = (typeof PEERS)[number]

/** A request as it goes over the wire: method, target, and fields in their order. */
export interface WireRequest {
  readonly method: string
  readonly target: string
  readonly fields: readonly (readonly [name: string, value: string])[]
  /** The same request, so often. */
  readonly times: number
}

/** Whether each of the three lets a request in, the last time where it comes several times. */
export type Judgement = Readonly<Record<Peer | 'ours', boolean>>

/** Our guard and two peers, as resource servers of one issuer, for one resource. */
export async function startJudges() {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const resource = `http://127.0.0.1:${port}/mcp`
  const exchange = await Exchange.start(resource)
  const jwksUri = `${exchange.issuer}/jwks`

  // The peers take bound and unbound tokens, each as what it is; so does this guard.
  const guard = createGuard(resource, { issuer: exchange.issuer, revocation: 'off', dpop: 'when-bound' })

  const app = express()
  app.use(auth({ issuer: exchange.issuer, audience: resource, jwksUri, tokenSigningAlg: 'ES256' }))
  app.use((_req, res) => void res.end())
  app.use((error: { status?: number }, _req: ExpressRequest, res: Answer, _next: NextFunction) => {
    res.status(error.status ?? 500).end()
  })
  server.on('request', app)

  const cache = {} as ExportedJWKSCache
  const options = { [allowInsecureRequests]: true, [jwksCache]: cache }

  const judges: Record<Peer | 'ours', (request: WireRequest) => Promise<boolean>> = {
    async ours({ method, target, fields }) {
      const headers = fields as GuardRequest['headers']
      return (await guard.verify({ method, url: target, headers })).ok
    },
    async oauth4webapi({ method, target, fields }) {
      try {
        const headers = new Headers()
        for (const [name, value] of fields) headers.append(name, value)
        const request = new Request(new URL(target, resource), { method, headers })
        await validateJwtAccessToken(
          { issuer: exchange.issuer, jwks_uri: jwksUri },
          request,
          resource,
          options,
        )
        return true
      } catch {
        return false
      }
    },
    async 'express-oauth2-jwt-bearer'({ method, target, fields }) {
      const lines = fields.map(([name, value]) => `${name}: ${value}`)
      const host = `Host: 127.0.0.1:${port}`
      const answer = await sendRaw(port, [
        `${method} ${target} HTTP/1.1`,
        host,
        ...lines,
        'Content-Length: 0',
      ])
      return answer.status === 200
    },
  }

  return {
    exchange,
    async judge(request: WireRequest): Promise<Judgement> {
      const judgement: Partial<Record<Peer | 'ours', boolean>> = {}
      for (const name of ['ours', ...PEERS] as const) {
        for (let i = 0; i < request.times; i++) judgement[name] = await judges[name](request)
      }
      return judgement as Judgement
    },
    async close() {
      await guard.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await exchange.close()
    },
  }
}
