import { hmacSha256 } from '#runtime'

/** How DPoP nonces are made (RFC 9449 §9). Durations in seconds. */
export interface NonceOptions {
  /**
   * Secrets of at least 32 characters, newest first: nonces are made with the first and accepted for all, so that a
   * secret can be rolled over and several instances agree. Default: one random secret of this process.
   */
  readonly secrets?: readonly string[]
  /** Seconds after which a new nonce is handed out; each is accepted for two such periods. Default 60. */
  readonly lifetime?: number
}

/**
 * Stateless DPoP nonces (RFC 9449 §9): HMAC over (resource, period). Nothing is stored; a nonce of another resource,
 * secret or time is simply not among the few that are right now. One nonce serves any number of requests of its period:
 * replay is what `jti` is for.
 */
export interface Nonces {
  /** The nonce to hand out now. */
  current(now: number): Promise<string>
  /** Whether the nonce was handed out in this period or the one before. */
  accepts(nonce: string, now: number): Promise<boolean>
}

export function createNonces(resource: string, options: NonceOptions): Nonces {
  const lifetime = options.lifetime ?? 60
  const encoder = new TextEncoder()
  let keys = options.secrets?.map((secret) => encoder.encode(secret))
  let remembered: { period: number; valid: Promise<readonly string[]> } | undefined

  async function derive(period: number): Promise<readonly string[]> {
    // Not before it is needed: Workers have no random numbers until there is a request.
    keys ??= [crypto.getRandomValues(new Uint8Array(32))]
    const secrets = keys
    // Newest secret first, so that the first entry is the one to hand out.
    const inputs = [period, period - 1].flatMap((p) => secrets.map((key) => [key, p] as const))
    return Promise.all(
      inputs.map(async ([key, p]) => hmacSha256(key, JSON.stringify(['dpop-nonce', resource, p]))),
    )
  }

  function valid(now: number): Promise<readonly string[]> {
    const period = Math.floor(now / lifetime)
    if (remembered?.period !== period) remembered = { period, valid: derive(period) }
    return remembered.valid
  }

  return {
    current: async (now) => (await valid(now))[0] as string,
    accepts: async (nonce, now) => {
      let found = false
      for (const candidate of await valid(now)) found = isEqualInConstantTime(nonce, candidate) || found
      return found
    },
  }
}

function isEqualInConstantTime(a: string, b: string): boolean {
  let difference = a.length ^ b.length
  for (let i = 0; i < b.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i)
  return difference === 0
}
