import { ConfigurationError } from '@sharkguard/core'

/** What `INFO` says of a server, as far as it matters here. */
export interface ServerInfo {
  /** Of this process of the server: another after each restart and on every other server. */
  readonly runId: string | undefined
  /** Of this history of writes: another after each promotion. */
  readonly replicationId: string | undefined
  /** Whether it was a replica once and has been promoted since. */
  readonly promoted: boolean
  /** Seconds since its process was started; 0 where it does not say. */
  readonly uptime: number
  /** `SET … PXAT`, Redis 6.2. */
  readonly knowsPxat: boolean
}

const NEVER_PROMOTED = /^0*$/

/**
 * Reads `INFO`.
 * @throws ConfigurationError naming `maxmemory-policy` when the server may evict
 * @throws Error when it is a replica, or does not say what it is
 */
export function parseServerInfo(text: string): ServerInfo {
  const fields = new Map<string, string>()
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(':')
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1))
  }
  const role = fields.get('role')
  if (role !== 'master') throw new Error(`the server is no primary: its role is ${role ?? 'unknown'}`)
  requireNoEviction(fields)
  const [major = 0, minor = 0] = (fields.get('redis_version') ?? '').split('.').map(Number)
  return {
    runId: fields.get('run_id'),
    replicationId: fields.get('master_replid'),
    promoted: !NEVER_PROMOTED.test(fields.get('master_replid2') ?? ''),
    uptime: Number(fields.get('uptime_in_seconds')) || 0,
    knowsPxat: major > 6 || (major === 6 && minor >= 2),
  }
}

/** From `INFO`, not `CONFIG GET`, which managed servers forbid. Without a limit nothing is ever evicted. */
function requireNoEviction(fields: ReadonlyMap<string, string>): void {
  const policy = fields.get('maxmemory_policy')
  if (policy === undefined || policy === 'noeviction' || fields.get('maxmemory') === '0') return
  throw new ConfigurationError(
    'maxmemory-policy',
    `the Redis server has ${policy}, which forgets used proofs when memory is short; expected noeviction`,
  )
}
