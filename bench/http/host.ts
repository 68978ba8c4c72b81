import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import * as guardExpress from '@sharkguard/express'
import * as guardFastify from '@sharkguard/fastify'
import * as guardHono from '@sharkguard/hono'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { contenders } from '../contenders/index.ts'
import { rawVerify } from '../contenders/raw-verify.ts'
import { createWorld } from '../world.ts'
import type { HostOrder, Usage } from './protocol.ts'

/** One server of one framework with one thing before its handler, in a process of its own. Tells its port, then its usage. */

/** Whether a request with these credentials may pass. */
type Pass = (authorization: string, proof: string, method: string) => boolean | Promise<boolean>

const { framework, front, resource } = JSON.parse(process.argv[2] as string) as HostOrder
const guardOptions = {
  issuer: { issuer: resource.issuer, jwksUri: resource.jwksUri },
  revocation: 'off',
} as const

process.on('message', () => {
  const { user, system } = process.cpuUsage()
  const usage: Usage = { cpu: user + system, rss: process.memoryUsage.rss() }
  process.send?.(usage)
})
process.on('disconnect', () => process.exit())
process.send?.(await { express: onExpress, fastify: onFastify, hono: onHono }[framework]())

async function onExpress(): Promise<number> {
  const app = express()
  const { path } = resource
  if (front === 'sharkguard') app.use(guardExpress.sharkGuard(resource.audience, guardOptions))
  const pass = await passOf()
  if (pass !== undefined) {
    app.use((req, res, next) => {
      const { authorization = '', dpop = '' } = req.headers
      Promise.resolve(pass(authorization, String(dpop), req.method)).then(
        (passed) => (passed ? next() : res.sendStatus(401)),
        next,
      )
    })
  }
  app.post(path, (_, res) => {
    res.json({ ok: true })
  })
  return new Promise((resolve) => {
    const server = app.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

async function onFastify(): Promise<number> {
  const app = fastify()
  if (front === 'sharkguard') await app.register(guardFastify.sharkGuard(resource.audience, guardOptions))
  const pass = await passOf()
  if (pass !== undefined) {
    app.addHook('onRequest', async (request, reply) => {
      const { authorization = '', dpop = '' } = request.headers
      if (!(await pass(authorization, String(dpop), request.method))) return reply.code(401).send()
    })
  }
  app.post(resource.path, async () => ({ ok: true }))
  await app.listen({ port: 0, host: '127.0.0.1' })
  return (app.server.address() as AddressInfo).port
}

async function onHono(): Promise<number> {
  const app = new Hono()
  if (front === 'sharkguard') app.use(guardHono.sharkGuard(resource.audience, guardOptions))
  const pass = await passOf()
  if (pass !== undefined) {
    app.use(async (c, next) => {
      const authorization = c.req.header('authorization') ?? ''
      if (!(await pass(authorization, c.req.header('dpop') ?? '', c.req.method))) return c.body(null, 401)
      return next()
    })
  }
  app.post(resource.path, (c) => c.json({ ok: true }))
  return new Promise((resolve) => {
    serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => resolve(port))
  })
}

/** Undefined where the framework's own adapter stands, or nothing. */
async function passOf(): Promise<Pass | undefined> {
  if (front === 'bare' || front === 'sharkguard') return undefined
  if (front === 'raw') return rawPass()
  const contender = contenders.find(({ name }) => name === front)
  const { dpop } = (await contender?.setup(resource)) ?? {}
  if (dpop === undefined) throw new Error(`${front} does no DPoP`)
  return (authorization, proof, method) =>
    dpop(authorization.slice('DPoP '.length), proof, method, resource.uri)()
}

async function rawPass(): Promise<Pass> {
  const world = await createWorld()
  const client = world.client()
  const check = rawVerify({ client, proof: world.proof(client) })
  world.close()
  return check
}
