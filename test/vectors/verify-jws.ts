import { fitsAlgorithm, SIGNATURE_ALGORITHMS } from '../../packages/core/src/algorithms.ts'
import { isJsonObject, type JsonObject } from '../../packages/core/src/json.ts'
import { decodePart, hasUnsupportedExtension, parseCompactJws } from '../../packages/core/src/jws.ts'
import { isForVerification, parsePublicJwk } from '../../packages/core/src/public-jwk.ts'
import type { Runtime } from '../../packages/core/src/runtime/contract.ts'
import * as node from '../../packages/core/src/runtime/node.ts'
import * as web from '../../packages/core/src/runtime/web.ts'

export const RUNTIMES: readonly (readonly [string, Runtime])[] = [
  ['node', node],
  ['web', web],
]

/** Why a JWS of a vector is not accepted, by the step that refuses it. */
export type Outcome = 'valid' | 'format' | 'algorithm' | 'no key' | 'unusable key' | 'signature'

/**
 * What the guard does with a token's text before it reads claims, step by step and in its order, in the runtime given:
 * of the keys of a set those count that may verify, fit the algorithm, and have the `kid` that is named.
 */
export async function verifyJws(
  runtime: Runtime,
  text: string,
  keys: readonly unknown[],
  algorithms: readonly string[] = SIGNATURE_ALGORITHMS,
): Promise<Outcome> {
  const jws = parseCompactJws(text, 16_384)
  const header = jws && decodePart(jws.header)
  if (jws === undefined || header === undefined || hasUnsupportedExtension(header)) return 'format'
  const algorithm = SIGNATURE_ALGORITHMS.find((known) => known === header.alg && algorithms.includes(known))
  if (algorithm === undefined) return 'algorithm'
  const usable = keys
    .filter(isJsonObject)
    .filter((key) => isForVerification(key) && fitsAlgorithm(key, algorithm))
    .filter((key) => header.kid === undefined || key.kid === header.kid)
    .flatMap((key) => parsePublicJwk(withoutPrivate(key)) ?? [])
  if (usable.length === 0) return 'no key'
  let outcome: Outcome = 'unusable key'
  for (const jwk of usable) {
    const key = await importOrUndefined(runtime, jwk, algorithm)
    if (key === undefined) continue
    outcome = 'signature'
    const signature = runtime.decodeBase64url(jws.signature)
    if (await runtime.verifySignature(algorithm, key, jws.signed, signature)) return 'valid'
  }
  return outcome
}

/** Vectors that are key pairs are published as their public half. */
function withoutPrivate({ d, p, q, dp, dq, qi, ...jwk }: JsonObject): JsonObject {
  return jwk
}

async function importOrUndefined(runtime: Runtime, jwk: object, algorithm: string) {
  try {
    return await runtime.importKey(jwk, algorithm)
  } catch {
    return undefined
  }
}
