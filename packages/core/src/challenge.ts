import type { Scheme } from './credentials.ts'
import { REFUSALS, type Reason } from './refusal.ts'

/** What every challenge of a guard says. */
export interface ChallengePolicy {
  /** Whether Bearer is offered beside DPoP. */
  readonly bearer: boolean
  readonly proofAlgorithms: readonly string[]
  readonly resourceMetadataUrl: string
  readonly scopes: readonly string[]
}

type Parameter = readonly [name: string, value: string]

/**
 * `WWW-Authenticate` for a refusal (RFC 9110 §11.6.1, RFC 6750 §3, RFC 9449 §7.1, RFC 9728 §5.1). Where Bearer is
 * accepted too, both schemes are offered: the error stands in the scheme that was used, and that one comes first;
 * without credentials Bearer comes first, its parameters with it, since older MCP clients read nothing else.
 */
export function createChallenges(policy: ChallengePolicy) {
  return (reason: Reason, used: Scheme | undefined, scopes = policy.scopes): string => {
    const { error, description } = REFUSALS[reason]
    const failure: readonly Parameter[] =
      error === undefined
        ? []
        : [
            ['error', error],
            ['error_description', description],
          ]
    const common: readonly Parameter[] = [
      ['resource_metadata', policy.resourceMetadataUrl],
      ...(scopes.length > 0 ? [['scope', scopes.join(' ')] as const] : []),
    ]
    const algs: readonly Parameter[] = [['algs', policy.proofAlgorithms.join(' ')]]
    if (!policy.bearer) return challenge('DPoP', [...failure, ...algs, ...common])
    const both = reason === 'credentials_ambiguous'
    const bearer = challenge('Bearer', [...(both || used === 'Bearer' ? failure : []), ...common])
    const dpop = challenge('DPoP', [...(both || used === 'DPoP' ? failure : []), ...algs, ...common])
    return used === 'DPoP' ? `${dpop}, ${bearer}` : `${bearer}, ${dpop}`
  }
}

function challenge(scheme: Scheme, parameters: readonly Parameter[]): string {
  return `${scheme} ${parameters.map(([name, value]) => `${name}="${quote(value)}"`).join(', ')}`
}

/** RFC 9110 §5.6.4. What cannot stand in a field value is left out: it would be another field's beginning. */
function quote(value: string): string {
  return value.replace(/[^\x20-\x7e]/g, '').replace(/["\\]/g, '\\$&')
}
