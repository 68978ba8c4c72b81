/** 64 bits of a text, as two unsigned halves. The same object each time: read it before the next call. */
export interface Fingerprint {
  high: number
  low: number
}

/**
 * Hashes text to 64 bits under a random secret of this store, so that nobody can make two texts that collide. The input
 * is a SHA-256 already; what is added is only that it cannot be foreseen.
 */
export function createFingerprint(): (text: string) => Fingerprint {
  const result: Fingerprint = { high: 0, low: 0 }
  let startHigh = 0
  let startLow = 0
  let multiplyHigh = 0
  let multiplyLow = 0

  function drawSecret(): void {
    const [a = 0, b = 0, c = 0, d = 0] = crypto.getRandomValues(new Uint32Array(4))
    startHigh = a
    startLow = b
    multiplyHigh = c | 1
    multiplyLow = d | 1
  }

  return (text) => {
    // Not before it is needed: Workers have no random numbers until there is a request.
    if (multiplyHigh === 0) drawSecret()
    let high = startHigh
    let low = startLow
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i)
      high = Math.imul(high ^ code, multiplyHigh)
      high ^= high >>> 15
      low = Math.imul(low + code, multiplyLow)
      low ^= (low >>> 13) ^ high
    }
    result.high = finish(high ^ low) >>> 0
    result.low = finish(low) >>> 0
    return result
  }
}

/** Spreads every bit over all others (the finalizer of MurmurHash3). */
function finish(hash: number): number {
  let h = hash ^ (hash >>> 16)
  h = Math.imul(h, 0x85ebca6b)
  h ^= h >>> 13
  h = Math.imul(h, 0xc2b2ae35)
  return h ^ (h >>> 16)
}
