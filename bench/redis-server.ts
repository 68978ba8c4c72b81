import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'

/** A Redis of our own on a free port, which keeps nothing; `undefined` where there is no redis-server on the PATH. */
export async function startRedis() {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  const settings = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const child = spawn('redis-server', settings, { stdio: ['ignore', 'pipe', 'ignore'] })
  try {
    await once(child, 'spawn')
  } catch {
    return undefined
  }
  for await (const line of child.stdout) if (String(line).includes('Ready to accept connections')) break
  return { url: `redis://127.0.0.1:${port}`, stop: () => void child.kill() }
}
