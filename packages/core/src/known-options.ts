import { ConfigurationError } from './refusal.ts'

/** @throws ConfigurationError unless `options` is an object with no other members than these */
export function requireKnownOptions(name: string, options: object, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null)
    throw new ConfigurationError(name, 'expected an object')
  for (const member of Object.keys(options)) {
    if (!known.includes(member)) {
      throw new ConfigurationError(`${name}.${member}`, `unknown option; known are ${known.join(', ')}`)
    }
  }
}
