import { isEqualInConstantTime } from '../random.ts'

/** As many as Cloudflare's Workers do; OWASP asks for more, from those who keep the hashes. These never leave memory. */
const ITERATIONS = 100_000

/** PBKDF2 of a password, with its salt. */
export interface PasswordHash {
  readonly salt: Uint8Array<ArrayBuffer>
  readonly hash: string
}

export async function hashPassword(
  password: string,
  salt = crypto.getRandomValues(new Uint8Array(16)),
): Promise<PasswordHash> {
  const key = await crypto.subtle.importKey('raw', new TextEncoder().encode(password), 'PBKDF2', false, [
    'deriveBits',
  ])
  const parameters = { name: 'PBKDF2', hash: 'SHA-256', salt, iterations: ITERATIONS }
  const bits = new Uint8Array(await crypto.subtle.deriveBits(parameters, key, 256))
  return { salt, hash: String.fromCharCode(...bits) }
}

export async function isPassword(password: string, { salt, hash }: PasswordHash): Promise<boolean> {
  return isEqualInConstantTime((await hashPassword(password, salt)).hash, hash)
}
