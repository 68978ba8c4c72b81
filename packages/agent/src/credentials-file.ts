import type { AuthMethod } from './client-authentication.ts'
import type { ProofAlgorithm } from './dpop-prover.ts'
import { AgentError, isRecord } from './errors.ts'
import { inTurn } from './in-turn.ts'

/** What an agent keeps for one issuer. Never used with another (MCP authorization, credentials bound to their issuer). */
export interface StoredCredentials {
  readonly private_key?: string
  readonly dpop_alg?: ProofAlgorithm
  readonly client?: StoredClient
}

export interface StoredClient {
  readonly client_id: string
  readonly client_secret: string
  readonly token_endpoint_auth_method: AuthMethod
  /** Seconds since the epoch; 0 never. */
  readonly client_secret_expires_at?: number | undefined
  readonly registration_access_token?: string | undefined
  readonly registration_client_uri?: string | undefined
}

const VERSION = 1

/**
 * What is kept for the issuer; undefined when there is nothing. A file of ours that others could read is narrowed
 * to mode 0600 first. Throws {@link AgentError} for a file that is not ours: it is neither overwritten nor narrowed.
 */
export async function readCredentials(path: string, issuer: string): Promise<StoredCredentials | undefined> {
  const stored = (await readAll(path))[issuer]
  if (stored === undefined || isStoredCredentials(stored)) return stored
  throw notOurs(path)
}

/** Replaces what is kept for the issuer: a new file, mode 0600, renamed over the old one. */
export async function writeCredentials(
  path: string,
  issuer: string,
  stored: StoredCredentials,
): Promise<void> {
  await inTurn(`write ${path}`, async () => {
    const issuers = { ...(await readAll(path)), [issuer]: stored }
    await replaceFile(path, `${JSON.stringify({ version: VERSION, issuers }, undefined, 2)}\n`)
  })
}

/** A crash leaves the old file or the new one, never half of one, and nobody else can read it at any moment. */
async function replaceFile(path: string, text: string): Promise<void> {
  const { mkdir, open, rename, rm } = await import('node:fs/promises')
  const { dirname } = await import('node:path')
  const temporary = `${path}.${crypto.randomUUID()}.tmp`
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined)
    throw new AgentError('credentials_file', `${path} cannot be written; check its folder's permissions`, {
      cause,
    })
  }
}

async function readAll(path: string): Promise<Readonly<Record<string, StoredCredentials>>> {
  const { open } = await import('node:fs/promises')
  try {
    const file = await open(path, 'r')
    try {
      const issuers = parseFile(await file.readFile('utf8'), path)
      const { mode } = await file.stat()
      if (process.platform !== 'win32' && (mode & 0o077) !== 0) await file.chmod(0o600)
      return issuers
    } finally {
      await file.close()
    }
  } catch (cause) {
    if (cause instanceof AgentError) throw cause
    if (isRecord(cause) && cause.code === 'ENOENT') return {}
    const message = `${path} cannot be read privately; it must be a file of yours with mode 0600`
    throw new AgentError('credentials_file', message, { cause })
  }
}

function parseFile(text: string, path: string): Readonly<Record<string, StoredCredentials>> {
  // Empty as mktemp makes it: there is nothing in it to lose.
  if (text === '') return {}
  try {
    const document: unknown = JSON.parse(text)
    if (isRecord(document) && document.version === VERSION && isRecord(document.issuers)) {
      return document.issuers as Record<string, StoredCredentials>
    }
  } catch {
    // Its text is secret: not even the parser's message may quote it.
  }
  throw notOurs(path)
}

function isStoredCredentials({ private_key, client }: StoredCredentials): boolean {
  const strings = [private_key ?? '', client?.client_id ?? '', client?.client_secret ?? '']
  return (
    strings.every((value) => typeof value === 'string') && (client === undefined || !strings.includes('', 1))
  )
}

function notOurs(path: string): AgentError {
  return new AgentError(
    'credentials_file',
    `${path} is no credentials file; move it away, or name another one`,
  )
}
