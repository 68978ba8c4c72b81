import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasRedisServer, type RedisServer, startRedis } from '../support/redis-server.ts'

const readme = readFileSync(new URL('../../packages/redis/README.md', import.meta.url), 'utf8')
const programs = [...readme.matchAll(/```js\n([\s\S]*?)```/g)].map(([, program]) => program as string)
/** Where a program finds what the tests find. */
const directory = fileURLToPath(new URL('../node_modules/.cache/readme', import.meta.url))

describe.skipIf(!hasRedisServer())('the README', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis()
    mkdirSync(directory, { recursive: true })
  })
  afterAll(async () => {
    rmSync(directory, { recursive: true })
    await server.stop()
  })

  it('has a program for each store', () => expect(programs).toHaveLength(2))

  it.each(programs.map((program, index) => [index + 1, program] as const))(
    'program %d starts as it stands there, on what `tsc -b` has built, and ends when it is told to',
    async (number, program) => {
      const file = `${directory}/${number}.mjs`
      writeFileSync(file, program)
      const env = { PATH: process.env.PATH, NODE_ENV: 'production', REDIS_URL: server.url }
      const child = spawn(process.execPath, [file], { env, stdio: ['ignore', 'pipe', 'pipe'] })
      let output = ''
      const listening = new Promise<void>((resolve, reject) => {
        for (const stream of [child.stdout, child.stderr]) {
          stream.on('data', (chunk) => {
            output += chunk
            if (output.includes('listening')) resolve()
          })
        }
        child.once('exit', () => reject(new Error(output)))
      })
      await listening
      child.kill('SIGTERM')
      const [code] = await once(child, 'exit')
      expect({ code, output }).toMatchObject({ code: 0 })
    },
  )
})
