import { randomSecret } from './random.ts'
import type { IssuerStore } from './store.ts'

/** The secret of 256 bits that all instances with this store have for a purpose; the first to ask makes it. */
export async function sharedSecret(store: IssuerStore, purpose: string): Promise<string> {
  const known = await store.get('secret', purpose)
  if (known !== undefined) return known.value
  await store.add('secret', purpose, { value: randomSecret() })
  return sharedSecret(store, purpose)
}
