import ipaddr from 'ipaddr.js'

/**
 * Whether anybody on the internet can be behind an address. Not so: this machine, private, link-local, shared (CGNAT) and
 * unique local networks, multicast, documentation and other reserved ranges, and the forms of IPv6 that carry an IPv4
 * address (mapped, NAT64, 6to4, Teredo), which a gateway may take to any of those.
 */
export function isPublicAddress(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.parse(address).range() === 'unicast'
}

/** 127.0.0.0/8 and ::1. */
export function isLoopbackAddress(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.parse(address).range() === 'loopback'
}

/** The IP address that a URL's host spells out, without brackets; `undefined` where it is a name. */
export function literalAddress(hostname: string): string | undefined {
  const bare = hostname.replace(/^\[|\]$/g, '')
  return ipaddr.isValid(bare) ? bare : undefined
}
