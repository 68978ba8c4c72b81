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
 * Metadata is sent as it is, members nobody knows too: but not under names that no server can know.
 * @throws AgentError naming the member and how it is spelt on the wire
 */
export function requireWireNames(what: string, metadata: unknown): void {
  if (!isRecord(metadata)) throw new AgentError('configuration', `${what} takes an object of metadata`)
  const name = Object.keys(metadata).find((member) => /^[a-z]+(?:[A-Z][a-z]*)+$/.test(member))
  if (name === undefined) return
  const spelt = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  throw new AgentError('configuration', `${what}: ${name} is not sent; on the wire it is ${spelt}`)
}
