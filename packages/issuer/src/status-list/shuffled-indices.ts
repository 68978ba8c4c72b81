/**
 * All indices of a list in an order that nobody can tell who does not know its secret, and that is the same at every
 * instance: a shuffle (Fisher and Yates) by the key stream of AES-CTR. So an index says nothing about when a token was issued.
 */
export async function shuffledIndices(secret: string, size: number): Promise<Uint32Array> {
  const { subtle } = crypto
  const seed = await subtle.digest('SHA-256', new TextEncoder().encode(secret))
  const key = await subtle.importKey('raw', seed, 'AES-CTR', false, ['encrypt'])
  const counter = { name: 'AES-CTR', counter: new Uint8Array(16), length: 64 }
  const random = new DataView(await subtle.encrypt(counter, key, new Uint8Array(4 * size)))
  const indices = Uint32Array.from({ length: size }, (_, i) => i)
  for (let i = size - 1; i > 0; i--) {
    const j = Math.floor((random.getUint32(4 * i) / 2 ** 32) * (i + 1))
    const swapped = indices[i] as number
    indices[i] = indices[j] as number
    indices[j] = swapped
  }
  return indices
}
