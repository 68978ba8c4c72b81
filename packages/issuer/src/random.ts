const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** An unguessable identifier of 6 bits a character. */
export function randomId(length = 21): string {
  let id = ''
  for (const byte of crypto.getRandomValues(new Uint8Array(length))) id += ALPHABET[byte & 63]
  return id
}

/** 256 bits, hex: a secret. */
export function randomSecret(): string {
  return [...crypto.getRandomValues(new Uint8Array(32))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('')
}

/** base64url SHA-256. Enough for secrets of 256 random bits, which nobody can try out. */
export async function sha256(text: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
  return btoa(String.fromCharCode(...digest))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '')
}

/** Compares without telling by its duration where two texts differ. */
export function isEqualInConstantTime(a: string, b: string): boolean {
  let difference = a.length ^ b.length
  for (let i = 0; i < b.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i)
  return difference === 0
}
