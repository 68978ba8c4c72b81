import { chmod, mkdtemp, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { readCredentials, writeCredentials } from '../src/credentials-file.ts'

const A = 'https://a.example'
const B = 'https://b.example'
const client = {
  client_id: 'c',
  client_secret: 's',
  token_endpoint_auth_method: 'client_secret_basic',
} as const
let folder: string
let path: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'agent-'))
  path = join(folder, 'deep', 'credentials.json')
})

const modeOf = async (file: string) => ((await stat(file)).mode & 0o777).toString(8)

describe('the credentials file', () => {
  it('keeps what belongs to each issuer apart', async () => {
    expect(await readCredentials(path, A)).toBeUndefined()
    await writeCredentials(path, A, { client })
    await writeCredentials(path, B, { private_key: 'pem' })
    expect(await readCredentials(path, A)).toEqual({ client })
    expect(await readCredentials(path, B)).toEqual({ private_key: 'pem' })
    expect(await readCredentials(path, 'https://c.example')).toBeUndefined()
  })

  it('is private, as is its folder, and leaves nothing else behind', async () => {
    await writeCredentials(path, A, { client })
    await writeCredentials(path, A, { client: { ...client, client_id: 'd' } })
    expect(await modeOf(path)).toBe('600')
    expect(await modeOf(join(folder, 'deep'))).toBe('700')
    expect(await readdir(join(folder, 'deep'))).toEqual(['credentials.json'])
  })

  it('may have been made beforehand, empty', async () => {
    const file = join(folder, 'made')
    await writeFile(file, '')
    expect(await readCredentials(file, A)).toBeUndefined()
    await writeCredentials(file, A, { client })
    expect([await readCredentials(file, A), await modeOf(file)]).toEqual([{ client }, '600'])
  })

  it('loses nothing when agents write at the same time', async () => {
    const issuers = Array.from({ length: 20 }, (_, index) => `https://${index}.example`)
    await Promise.all(issuers.map((issuer) => writeCredentials(path, issuer, { client })))
    for (const issuer of issuers) expect(await readCredentials(path, issuer)).toEqual({ client })
  })

  it.each([0o644, 0o660, 0o606])(
    'is narrowed to 0600 before it is used when its mode is %o',
    async (mode) => {
      await writeCredentials(path, A, { client })
      await chmod(path, mode)
      expect(await readCredentials(path, A)).toEqual({ client })
      expect(await modeOf(path)).toBe('600')
    },
  )

  it.each([
    'secret but no JSON',
    '[]',
    '{}',
    '{"version":2,"issuers":{}}',
    `{"version":1,"issuers":{"${A}":{"client":{"client_id":1,"client_secret":"s"}}}}`,
    `{"version":1,"issuers":{"${A}":{"client":{"client_id":"c"}}}}`,
  ])('is neither used nor overwritten when it holds %s', async (text) => {
    const file = join(folder, 'other')
    await writeFile(file, text)
    const failure = await readCredentials(file, A).catch((error) => error)
    expect(failure).toMatchObject({
      code: 'credentials_file',
      message: expect.stringContaining('move it away'),
    })
    expect(failure.message).not.toContain('secret')
    expect(await readFile(file, 'utf8')).toBe(text)
    if (!text.includes(A)) {
      await expect(writeCredentials(file, A, { client })).rejects.toMatchObject({ code: 'credentials_file' })
      expect(await readFile(file, 'utf8')).toBe(text)
    }
  })

  it('is left as it is when a link makes it somebody else’s: its mode may be what others need', async () => {
    const other = join(folder, 'passwd')
    await writeFile(other, 'root:x:0:0')
    await chmod(other, 0o644)
    await symlink(other, join(folder, 'link'))
    await expect(readCredentials(join(folder, 'link'), A)).rejects.toThrow(/no credentials file/)
    expect(await modeOf(other)).toBe('644')
    await writeFile(other, `{"version":1,"issuers":{"${A}":{}}}`)
    expect(await readCredentials(join(folder, 'link'), A)).toEqual({})
    expect(await modeOf(other)).toBe('600')
  })

  it('must be a file', async () => {
    await expect(readCredentials(folder, A)).rejects.toThrow(/a file of yours/)
  })

  it('that cannot be written says so', async () => {
    await writeFile(join(folder, 'deep'), 'a file where the folder should be')
    await expect(writeCredentials(path, A, { client })).rejects.toMatchObject({ code: 'credentials_file' })
  })
})
