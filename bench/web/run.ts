import { importJWK } from 'jose'
import type { Check } from '../contender.ts'
import { sharkguard } from '../contenders/sharkguard.ts'
import { exchanges } from '../course.ts'
import { arriving, type Lane, race, type Sample } from '../measure.ts'
import type { Settings } from '../scenario.ts'
import { type Client, createWorld, type Exchange } from '../world.ts'

/** Times the guard on WebCrypto against one `subtle.verify`, in a process whose core has no node:crypto. */

export type WebSamples = readonly { work: string; samples: [string, Sample[]][] }[]

process.once('message', async (settings: Settings) => {
  process.send?.(await raceOnWebCrypto(settings), () => process.exit())
})

async function raceOnWebCrypto(settings: Settings): Promise<WebSamples> {
  const world = await createWorld()
  const known = world.clients(100)
  const imported = new Map<Client, Awaited<ReturnType<typeof importJWK>>>()
  for (const client of known) imported.set(client, await importJWK(client.keys.jwk, 'ES256'))
  const { dpop } = await sharkguard.setup(world)
  const lanes: Lane<readonly Exchange[]>[] = [
    {
      name: 'one subtle.verify',
      accepts: true,
      checks: (batch) => batch.map((exchange) => subtle(exchange, imported)),
    },
    {
      name: 'sharkguard on WebCrypto',
      accepts: true,
      checks: (batch) =>
        batch.map(({ client, proof }) => dpop?.(client.token, proof, world.method, world.uri) as Check),
    },
  ]
  const batch = () => exchanges(world, known, settings.batch * 2)
  const all: { work: string; samples: [string, Sample[]][] }[] = []
  for (const concurrent of [1, 64]) {
    const samples = await race({ ...settings, lanes, batch, run: arriving(concurrent) })
    all.push({ work: `DPoP, warm, ${concurrent} at once`, samples: [...samples] })
  }
  world.close()
  return all
}

function subtle({ client, proof }: Exchange, keys: ReadonlyMap<Client, unknown>): Check {
  const end = proof.lastIndexOf('.')
  const data = new TextEncoder().encode(proof.slice(0, end))
  const signature = Uint8Array.from(Buffer.from(proof.slice(end + 1), 'base64url'))
  const key = keys.get(client) as Parameters<typeof crypto.subtle.verify>[1]
  return () => crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, signature, data)
}
