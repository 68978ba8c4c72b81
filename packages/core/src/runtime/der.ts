/**
 * An ECDSA signature as JWS has it, r ‖ s (RFC 7518 §3.4), in the form that OpenSSL takes without a detour: with a bare key
 * and DER no version of Node is slow.
 * @param size octets of each number
 * @returns `undefined` when the length is not that of two numbers
 */
export function derSignature(raw: Uint8Array, size: number): Uint8Array | undefined {
  if (raw.length !== 2 * size) return undefined
  const r = integerLength(raw, 0, size)
  const s = integerLength(raw, size, size)
  const content = r + s + 4
  // Not zeroed: every octet is written.
  const der = Buffer.allocUnsafe(content + (content > 127 ? 3 : 2))
  let at = 0
  der[at++] = 0x30
  if (content > 127) der[at++] = 0x81
  der[at++] = content
  at = writeInteger(der, at, raw, 0, size, r)
  writeInteger(der, at, raw, size, size, s)
  return der
}

/** Octets of a number without leading zeros, and with one where the first bit would read as a sign. */
function integerLength(raw: Uint8Array, start: number, size: number): number {
  let skip = 0
  while (skip < size - 1 && raw[start + skip] === 0) skip++
  const first = raw[start + skip] ?? 0
  return size - skip + (first > 127 ? 1 : 0)
}

function writeInteger(
  der: Uint8Array,
  at: number,
  raw: Uint8Array,
  start: number,
  size: number,
  length: number,
): number {
  der[at] = 0x02
  der[at + 1] = length
  const end = at + 2 + length
  let octet = at + 2
  if (length > size) der[octet++] = 0
  for (let from = start + size - (end - octet); octet < end; from++) der[octet++] = raw[from] as number
  return end
}
