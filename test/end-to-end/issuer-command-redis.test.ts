import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { authorizeUrl, Browser, register, VERIFIER } from '../../packages/issuer/test/support/browser.ts'
import { type Command, run, runIssuer } from '../../packages/issuer/test/support/command.ts'
import { freePort } from '../support/free-port.ts'
import { hasRedisServer, type RedisServer, startRedis } from '../support/redis-server.ts'

const ISSUER = 'https://issuer.example'
/** Where the packages are that the command does not bring itself. */
const HERE = fileURLToPath(new URL('..', import.meta.url))

describe.skipIf(!hasRedisServer())('two instances of the command with one Redis', () => {
  let redis: RedisServer
  let seed: string
  const running: Command[] = []

  beforeAll(async () => {
    redis = await startRedis()
    seed = join(mkdtempSync(join(tmpdir(), 'shark-redis-')), 'seed.json')
    writeFileSync(seed, JSON.stringify({ users: [{ username: 'alice', password: 'correct horse' }] }))
  })
  afterAll(() => redis?.stop())
  afterEach(() => {
    for (const { child } of running.splice(0)) child.kill('SIGKILL')
  })

  /** @returns where this instance listens, behind the balancer that the issuer's URL leads to */
  async function start(port: number): Promise<{ url: string; command: Command }> {
    const args = ['--store', redis.url, '--admin-key', 'sk_live_shared', '--issuer', ISSUER, '--seed', seed]
    const { command } = await runIssuer([...args, '--port', String(port)], {}, HERE)
    running.push(command)
    return { command, url: `http://127.0.0.1:${port}` }
  }

  it('are one issuer: a page of one is answered at the other, and its code is redeemed at the first', async () => {
    const [one, two] = await Promise.all([start(await freePort()), start(await freePort())])
    const { client_id } = await register(one)
    const browser = new Browser()
    await browser.logIn(authorizeUrl(two, client_id))
    const { search } = new URL(authorizeUrl(two, client_id))
    await browser.open(`${one.url}/oauth/authorize${search}`)
    const { parameters } = await browser.press('approve')
    expect(parameters).toMatchObject({ code: expect.any(String), iss: ISSUER })
    const redeem = async ({ url }: { url: string }) => {
      const body = new URLSearchParams({
        grant_type: 'authorization_code',
        client_id,
        code: parameters.code!,
        code_verifier: VERIFIER,
        redirect_uri: 'https://client.example/callback',
      })
      return fetch(`${url}/oauth/token`, { method: 'POST', body })
    }
    const answers = await Promise.all([redeem(one), redeem(two)])
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400])
  })

  it('end with 0 when they are told to, and leave Redis as it is', async () => {
    const { command } = await start(await freePort())
    command.child.kill('SIGTERM')
    expect(await command.ended).toBe(0)
  })

  it('need no admin key to start, and say that a new one is of this instance alone', async () => {
    const { command } = await runIssuer(['--store', redis.url], {}, HERE)
    running.push(command)
    expect(command.stdout).toMatch(/admin key {2}sk_live_[0-9a-f]{64}/)
    expect(command.stderr).toContain('the admin key is new')
  })

  it('end with 1 when there is no Redis', async () => {
    const command = run(['--store', 'redis://127.0.0.1:1', '--admin-key', 'sk_live_shared'], {}, HERE)
    expect(await command.ended).toBe(1)
    expect(command.stderr).toMatch(/ECONNREFUSED/)
  })
})
