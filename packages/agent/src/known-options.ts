import { AgentError, isRecord } from './errors.ts'

/**
 * Options that are not known would be left out in silence: a revocation that was to be narrow would be wide, a token that
 * was to have one scope would have all.
 * @throws AgentError naming the option, and those that are known
 */
export function requireKnown(what: string, options: unknown, known: Readonly<Record<string, true>>): void {
  if (!isRecord(options)) {
    throw new AgentError('configuration', `${what} takes { ${Object.keys(known).join(', ')} }`)
  }
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(known, name))
  if (unknown === undefined) return
  throw new AgentError(
    'configuration',
    `${what}: ${unknown} is unknown; known are ${Object.keys(known).join(', ')}`,
  )
}

/**
 * Members as they are named on the wire, whether they were written so or in camel case. Members nobody knows are kept.
 * @throws AgentError for what is no object
 */
export function wireMembers(what: string, members: unknown): Record<string, unknown> {
  if (!isRecord(members)) throw new AgentError('configuration', `${what} takes an object`)
  return Object.fromEntries(Object.entries(members).map(([name, value]) => [wireName(name), value]))
}

/** Not what has a language in its name, as `client_name#de-CH` (RFC 7591 §2.2). */
function wireName(name: string): string {
  if (!/^[a-z]+(?:[A-Z][a-z]*)+$/.test(name)) return name
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
