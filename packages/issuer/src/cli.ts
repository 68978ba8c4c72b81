#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { startIssuer } from './listen.ts'
import type { IssuerOptions } from './options.ts'
import { randomId } from './random.ts'
import type { IssuerStore } from './store.ts'

const USAGE = `Usage: sharkguard-issuer [options]

Runs an authorization server for development and tests.

  --port 8080         where to listen; 0: any free port
  --host localhost    on which address; localhost is 127.0.0.1 by name
  --issuer URL        its name, by which clients reach it and which guards and agents compare exactly;
                      by default http://HOST:PORT
  --store URL         redis://… or rediss://…; by default everything is kept in memory
  --seed FILE         JSON: users, clients and other options
  --redirect-schemes cursor,vscode
                      schemes without a period that clients may be reached by
  --admin-key KEY     or SHARK_ADMIN_KEY in the environment; by default a new one, which is printed;
                      instances with one store need the same
  -h, --help          this
`

/** Seconds for which requests under way may go on after SIGINT or SIGTERM. */
const GRACE = 10

/** What a seed file may hold: the options that are JSON and that no argument sets. */
const SEEDABLE = [
  'users',
  'clients',
  'autoApprove',
  'registration',
  'clientMetadataDocuments',
  'trustedIdentityProviders',
  'resources',
  'defaultResource',
  'tokenLifetime',
  'refreshTokenLifetime',
  'tokenType',
  'algorithms',
  'keyLifetime',
  'statusList',
  'nonce',
]

/** Whoever called us can put it right. */
class UsageError extends Error {}

function parseArguments(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        port: { type: 'string', default: '8080' },
        host: { type: 'string', default: 'localhost' },
        issuer: { type: 'string' },
        store: { type: 'string' },
        seed: { type: 'string' },
        'redirect-schemes': { type: 'string' },
        'admin-key': { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function parsePort(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) throw new UsageError('--port: expected 0 to 65535')
  return Number(text)
}

function readSeed(file: string | undefined): IssuerOptions {
  if (file === undefined) return {}
  let seed: unknown
  try {
    seed = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    // Not what JSON.parse says: it quotes the file, and there are passwords in it.
    throw new UsageError(
      error instanceof SyntaxError ? '--seed: the file is not JSON' : `--seed: ${(error as Error).message}`,
    )
  }
  if (typeof seed !== 'object' || seed === null || Array.isArray(seed))
    throw new UsageError('--seed: expected a JSON object')
  const unknown = Object.keys(seed).find((name) => !SEEDABLE.includes(name))
  if (unknown !== undefined)
    throw new UsageError(`--seed: ${unknown}: unknown; known are ${SEEDABLE.join(', ')}`)
  return seed
}

/** A package that only some need: from beside us, or from where we were started. */
async function importOptional(name: string) {
  try {
    return await import(name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
  }
  try {
    return await import(pathToFileURL(createRequire(`${process.cwd()}/`).resolve(name)).href)
  } catch {
    throw new UsageError('--store: Redis needs two more packages: npm install @sharkguard/redis redis')
  }
}

interface OpenStore {
  readonly store?: IssuerStore
  close(): Promise<void>
}

async function openStore(url: string | undefined, log: (event: object) => void): Promise<OpenStore> {
  if (url === undefined) return { close: async () => undefined }
  if (!/^rediss?:\/\//.test(url) || !URL.canParse(url)) {
    throw new UsageError('--store: expected redis://… or rediss://…')
  }
  const { redisIssuerStore } = await importOptional('@sharkguard/redis')
  const { createClient } = await importOptional('redis')
  let isUp = false
  // A connection that is lost comes back; one that never was is for whoever started us.
  const reconnectStrategy = (retries: number) => (isUp ? Math.min(retries * 50, 2000) : false)
  const client = createClient({ url, socket: { reconnectStrategy } })
  client.on('error', (error: Error) => log({ level: 'error', message: 'redis', error: error.message }))
  const store = redisIssuerStore(client)
  const close = async () => {
    store.close()
    if (client.isOpen) client.destroy()
  }
  try {
    await client.connect()
    isUp = true
    await store.ready()
  } catch (error) {
    await close()
    throw error
  }
  return { store, close }
}

/** Names the option, and what was expected of it. */
const OPTION_ERROR = /^issuer: /
const isWrongOption = (error: unknown): error is TypeError =>
  error instanceof TypeError && OPTION_ERROR.test(error.message)

async function main(): Promise<void> {
  const values = parseArguments(process.argv.slice(2))
  if (values.help) return console.log(USAGE)
  const log = (event: object) => console.error(JSON.stringify({ time: new Date().toISOString(), ...event }))
  const port = parsePort(values.port)
  const seed = readSeed(values.seed)
  const redirectSchemes = values['redirect-schemes']?.split(',')
  const adminKey = values['admin-key'] ?? process.env.SHARK_ADMIN_KEY
  // So that a person can log in at all. With a store there may be others of us, who would have another password.
  const demo = { username: 'demo', password: randomId(12) }
  const isDemo = values.store === undefined && seed.users === undefined && seed.autoApprove === undefined
  const { store, close } = await openStore(values.store, log)
  if (store !== undefined && adminKey === undefined) {
    log({ level: 'warn', message: 'the admin key is new: other instances with this store have another one' })
  }
  const issuer = await startIssuer({
    ...seed,
    ...(isDemo ? { users: [demo] } : {}),
    port,
    host: values.host,
    ...(values.issuer === undefined ? {} : { issuer: values.issuer }),
    ...(redirectSchemes === undefined ? {} : { redirectSchemes }),
    ...(adminKey === undefined ? {} : { adminKey }),
    ...(store === undefined ? {} : { store }),
    log,
  }).catch(async (error) => {
    await close()
    throw isWrongOption(error) ? new UsageError(error.message.replace(OPTION_ERROR, '')) : error
  })

  let isStopping = false
  const stop = async (signal: string) => {
    if (isStopping) process.exit(1)
    isStopping = true
    log({ level: 'info', message: 'stopping', signal })
    await issuer.close(GRACE)
    await close()
    log({ level: 'info', message: 'stopped' })
  }
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => void stop(signal))

  // At once, so that who reads it has all of it; and when we can be stopped.
  const lines = [`issuer     ${issuer.url}`]
  if (adminKey === undefined) lines.push(`admin key  ${issuer.adminKey}`)
  if (isDemo) lines.push(`user       ${demo.username}, password ${demo.password}`)
  console.log(lines.join('\n'))
}

try {
  await main()
} catch (error) {
  const isUsage = error instanceof UsageError
  console.error(`sharkguard-issuer: ${(error as Error).message}`)
  if (isUsage) console.error("Try 'sharkguard-issuer --help'.")
  process.exit(isUsage ? 2 : 1)
}
