import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const path = (name: string) => fileURLToPath(new URL(`../examples/${name}`, import.meta.url))
const examples = readdirSync(path('.')).filter(
  (name) => name !== 'dist' && existsSync(path(`${name}/main.ts`)),
)

it('there is one for each host', () => {
  const hosts = ['express-mcp-v1', 'express-mcp-v2', 'fastify', 'hono-node', 'hono-workers', 'node-http']
  expect(examples).toEqual(expect.arrayContaining(hosts))
})

/** As a reader would start it, against what `tsc -b` has built. */
it.each(examples)('examples/%s does what it says', async (name) => {
  const { code, output } = await new Promise<{ code: unknown; output: string }>((resolve) => {
    const environment = { PATH: process.env.PATH, NODE_ENV: 'development' }
    execFile(
      process.execPath,
      [path(`dist/${name}/main.js`)],
      { env: environment, timeout: 20_000 },
      (error, stdout, stderr) =>
        resolve({ code: error?.code ?? error?.signal ?? 0, output: stdout + stderr }),
    )
  })
  expect({ code, output }).toMatchObject({ code: 0 })
})
