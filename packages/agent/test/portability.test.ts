import { readdir, readFile } from 'node:fs/promises'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { AdminClient, DPoPProver, OAuthClient } from '../src/index.ts'

describe('the package', () => {
  it('loads where there is no node:fs: Node modules are imported when the credentials file is used, and only there', async () => {
    const folder = new URL('../src/', import.meta.url)
    const users = new Set<string>()
    for (const name of await readdir(folder)) {
      const text = await readFile(new URL(name, folder), 'utf8')
      expect(text).not.toMatch(/from 'node:|require\(|\bBuffer\b/)
      if (text.includes("import('node:")) users.add(name)
    }
    expect([...users]).toEqual(['credentials-file.ts'])
  })

  it('calls fetch as a function, as browsers and Workers demand', async () => {
    const strict = async function (this: unknown): Promise<Response> {
      expect(this).toBeUndefined()
      return Response.json({ keys: [] })
    }
    const original = globalThis.fetch
    globalThis.fetch = strict as typeof fetch
    try {
      await new AdminClient({ baseUrl: 'https://as.example', adminKey: 'k' }).keys.rotate()
    } finally {
      globalThis.fetch = original
    }
  })

  it('shows no secret when its objects are printed', async () => {
    const prover = await DPoPProver.generate()
    const d = (await prover.privateKeyPem()).split('\n')[1] ?? ''
    const objects = [
      prover,
      new OAuthClient({ baseUrl: 'https://as.example', adminKey: 'sk_live_1' }),
      new AdminClient({ baseUrl: 'https://as.example', adminKey: 'sk_live_1' }),
    ]
    for (const object of objects) {
      const shown = inspect(object, { depth: 9, showHidden: true }) + JSON.stringify(object)
      expect(shown).not.toContain('sk_live_1')
      expect(shown).not.toContain(d)
    }
  })
})
