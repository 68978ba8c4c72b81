import { mkdtempSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { type Command, run, runIssuer } from './support/command.ts'

const running: Command[] = []
afterEach(() => {
  for (const { child } of running.splice(0)) child.kill('SIGKILL')
})

const start = async (...args: Parameters<typeof runIssuer>) => {
  const started = await runIssuer(...args)
  running.push(started.command)
  return started
}

function seedFile(content: unknown): string {
  const file = join(mkdtempSync(join(tmpdir(), 'shark-seed-')), 'seed.json')
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
  return file
}

describe('sharkguard-issuer', () => {
  it('starts with nothing said, and says where it is, its admin key, and who can sign in', async () => {
    const { command, url } = await start()
    expect(url).toMatch(/^http:\/\/localhost:\d+$/)
    const adminKey = /admin key +(sk_live_[0-9a-f]{64})/.exec(command.stdout)?.[1]
    expect(command.stdout).toMatch(/user +demo, password \S+/)
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
    const agents = await fetch(`${url}/api/v1/agents`, { headers: { authorization: `Bearer ${adminKey}` } })
    expect(agents.status).toBe(200)
  })

  it.each([
    ['an argument', ['--admin-key', 'sk_live_given'], {}],
    ['the environment', [], { SHARK_ADMIN_KEY: 'sk_live_given' }],
  ])('takes the admin key from %s and does not print it', async (_name, args, env) => {
    const { command, url } = await start(args, env)
    const headers = { authorization: 'Bearer sk_live_given' }
    expect((await fetch(`${url}/api/v1/agents`, { headers })).status).toBe(200)
    expect(command.stdout + command.stderr).not.toContain('sk_live')
  })

  it('is known by the URL that it is told', async () => {
    const { command, url } = await start(['--issuer', 'https://issuer.example', '--host', '127.0.0.1'])
    expect(url).toBe('https://issuer.example')
    expect(command.stdout).toContain('issuer     https://issuer.example')
  })

  it('takes users, clients and other options from a seed file', async () => {
    const seed = seedFile({
      users: [{ username: 'alice', password: 'correct horse' }],
      clients: [
        { client_id: 'web', client_secret: 'a secret of my own', redirect_uris: ['http://127.0.0.1/cb'] },
      ],
      defaultResource: 'https://mcp.example/mcp',
      tokenLifetime: 60,
    })
    const { command, url } = await start(['--seed', seed])
    expect(command.stdout).not.toContain('user ')
    const response = await fetch(`${url}/oauth/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa('web:a+secret+of+my+own')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    })
    expect(await response.json()).toMatchObject({ expires_in: 60 })
  })

  it('lets clients be reached by the schemes that it is told', async () => {
    const { url } = await start(['--redirect-schemes', 'cursor,vscode'])
    const register = (uri: string) =>
      fetch(`${url}/oauth/register`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ client_name: 'App', redirect_uris: [uri] }),
      })
    expect((await register('cursor://anysphere.cursor-mcp/oauth/callback')).status).toBe(201)
    expect((await register('windsurf://callback')).status).toBe(400)
  })

  it('prints help', async () => {
    const command = run(['--help'])
    expect(await command.ended).toBe(0)
    expect(command.stdout).toContain('--seed FILE')
  })

  it.each<[string, string[], RegExp]>([
    ['an unknown option', ['--prot', '1'], /--prot/],
    ['a port that is none', ['--port', 'x'], /--port: expected/],
    ['a port beyond the last', ['--port', '65536'], /--port: expected/],
    ['an argument too many', ['8080'], /8080/],
    [
      'an issuer that is no URL',
      ['--port', '0', '--issuer', 'x'],
      /^sharkguard-issuer: issuer: expected an http/,
    ],
    ['a seed file that is not there', ['--seed', '/nowhere.json'], /--seed: .*nowhere/],
    ['a scheme of no application', ['--port', '0', '--redirect-schemes', 'javascript'], /redirectSchemes: /],
    ['a store of another kind', ['--store', 'postgres://x'], /--store: expected redis/],
  ])('ends with 2 for %s, and says so', async (_name, args, message) => {
    const command = run(args)
    expect(await command.ended).toBe(2)
    expect(command.stderr).toMatch(message)
    expect(command.stderr).not.toContain('    at ')
  })

  it.each<[string, unknown, RegExp]>([
    ['is no JSON, without quoting it', '{"users": secret', /--seed: the file is not JSON/],
    ['is a list', [], /--seed: expected a JSON object/],
    ['has an unknown name', { user: [] }, /--seed: user: unknown/],
    ['sets what arguments set', { adminKey: 'x' }, /--seed: adminKey: unknown/],
    ['has a wrong value', { tokenLifetime: -1 }, /tokenLifetime: expected/],
    [
      'has a wrong provider',
      { trustedIdentityProviders: [{}] },
      /trustedIdentityProviders\.issuer: expected/,
    ],
    ['has a wrong user', { users: [{}] }, /users: expected/],
  ])('ends with 2 for a seed file that %s', async (_name, content, message) => {
    const command = run(['--port', '0', '--seed', seedFile(content)])
    expect(await command.ended).toBe(2)
    expect(command.stderr).toMatch(message)
    expect(command.stderr).not.toContain('secret')
  })

  it('says what to install when Redis is asked for and its packages are not there', async () => {
    const command = run(['--store', 'redis://127.0.0.1:1', '--admin-key', 'k'], {}, tmpdir())
    expect(await command.ended).toBe(2)
    expect(command.stderr).toContain('npm install @sharkguard/redis redis')
  })

  it('ends with 1 when the port is taken', async () => {
    const { url } = await start()
    const command = run(['--port', new URL(url).port])
    expect(await command.ended).toBe(1)
    expect(command.stderr).toContain('EADDRINUSE')
  })
})

describe('on SIGTERM', () => {
  it('requests under way are answered, new ones are not taken, and it ends with 0', async () => {
    const { command, url } = await start()
    const { hostname, port } = new URL(url)
    const body = 'grant_type=client_credentials'
    const socket = connect(Number(port), hostname)
    let answer = ''
    const begun = new Promise<void>((resolve) => {
      socket.setEncoding('utf8').on('data', (chunk: string) => {
        answer += chunk
        resolve()
      })
    })
    socket.write(
      `POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\nExpect: 100-continue\r\n\r\n`,
    )
    await begun
    expect(answer).toMatch(/^HTTP\/1\.1 100 /)
    command.child.kill('SIGTERM')
    await command.printed('"message":"stopping"')
    await expect(fetch(`${url}/healthz`)).rejects.toThrow()
    socket.write(body)
    expect(await command.ended).toBe(0)
    expect(answer).toMatch(/\r\n\r\nHTTP\/1\.1 401 /)
    expect(command.stderr).toContain('"message":"stopped"')
  })

  it('those who wait for revocations do not keep it', async () => {
    const { command, url } = await start()
    const list = await fetch(`${url}/oauth/revocations`)
    await list.text()
    const waiting = fetch(`${url}/oauth/revocations?since=0&wait=30`).then(
      () => 'answered',
      () => 'ended',
    )
    await fetch(`${url}/healthz`)
    command.child.kill('SIGINT')
    expect(await command.ended).toBe(0)
    expect(await waiting).toBe('ended')
  })
})
