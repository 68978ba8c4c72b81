/** The IP address that a URL's host spells out, without brackets; `undefined` where it is a name. */
export function literalAddress(hostname: string): string | undefined {
  // The URL parser has already turned every other spelling of an address into these two.
  if (hostname.startsWith('[')) return hostname.slice(1, -1)
  return /^\d+(?:\.\d+){3}$/.test(hostname) ? hostname : undefined
}
