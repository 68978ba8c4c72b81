import { ConfigurationError, Refusal } from '../refusal.ts'

/** @throws ConfigurationError unless it is a number of seconds within the range */
export function requireSeconds(option: string, value: number, shortest: number, longest: number): number {
  if (typeof value === 'number' && value >= shortest && value <= longest) return value
  throw new ConfigurationError(option, `expected seconds from ${shortest} to ${longest}`)
}

/** @throws ConfigurationError unless it is absent, or an absolute http(s) URL */
export function requireUrl(option: string, value: string | undefined): string | undefined {
  if (value === undefined || isHttpUrl(value)) return value
  throw new ConfigurationError(option, 'expected an absolute http or https URL')
}

/**
 * A URL that the issuer names for itself. What an https issuer says must not lead to where anyone on the way could answer.
 * @throws TypeError
 */
export function requireAdvertised(name: string, value: unknown, issuer: string): string {
  if (value === undefined) throw new TypeError(`the issuer advertises no ${name}`)
  if (!isHttpUrl(value) || (issuer.startsWith('https:') && !value.startsWith('https:'))) {
    throw new TypeError(`${name} of the issuer must be an https URL`)
  }
  return value
}

function isHttpUrl(value: unknown): value is string {
  return typeof value === 'string' && /^https?:\/\//.test(value) && URL.canParse(value)
}

/** What went wrong, in words for a log: the message, and those of what caused it. */
export function describeProblem(error: unknown, depth = 3): string {
  if (error instanceof Refusal) return error.detail ?? error.reason
  if (!(error instanceof Error)) return String(error)
  if (error.cause === undefined || depth === 1) return error.message
  return `${error.message}: ${describeProblem(error.cause, depth - 1)}`
}
