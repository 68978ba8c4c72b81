import type { AccessToken } from './access-token.ts'
import { Refusal } from './refusal.ts'
import type { Revocation } from './revocation/checker.ts'

/** Why an open stream is to be ended. `'unknown'`: whether the token is revoked cannot be said any more. */
export type StreamEnd = 'expired' | 'revoked' | 'unknown'

interface OpenStream {
  /** The token it was let in with. */
  readonly text: string
  readonly end: (reason: StreamEnd) => void
}

/** How often open streams are looked at when no rule arrives in between: bounds how long one outlives its token. */
const INTERVAL_MS = 1000
/** While rules keep coming, as anyone may revoke tokens of their own: how often open streams are looked at for them. */
const PAUSE_MS = 100
/** A timer that is late by more than this is gone, with the request that began it (Workers). */
const LATE_MS = 1000

/**
 * Streams that were let in once and are still open. A request is checked when it comes; a stream is checked as long as it
 * lasts: whenever revocations may have changed, and every second. The token is verified anew each time, from the cache.
 */
export function createOpenStreams(
  clock: () => number,
  verify: (text: string, now: number) => AccessToken | Promise<AccessToken>,
  revocation: Pick<Revocation, 'require' | 'onChange'>,
) {
  const streams = new Set<OpenStream>()
  let timer: ReturnType<typeof setInterval> | undefined
  let pause: ReturnType<typeof setTimeout> | undefined
  let lookedAt = 0
  let recheckedAt = Number.NEGATIVE_INFINITY
  revocation.onChange(onChange)

  function watch(text: string, end: (reason: StreamEnd) => void): () => void {
    const stream = { text, end }
    streams.add(stream)
    if (timer === undefined || performance.now() - lookedAt > INTERVAL_MS + LATE_MS) start()
    return () => void streams.delete(stream)
  }

  function start(): void {
    clearInterval(timer)
    timer = setInterval(look, INTERVAL_MS)
    // On Node a timer keeps the process alive; waiting for a revocation is no reason to.
    ;(timer as { unref?: () => void }).unref?.()
    lookedAt = performance.now()
  }

  /** Ends by itself when there is nothing left to look at: most answers are over long before it comes round. */
  function look(): void {
    lookedAt = performance.now()
    if (streams.size === 0) stop()
    else recheck()
  }

  function stop(): void {
    clearInterval(timer)
    timer = undefined
  }

  /** At once, and for what comes soon after it once more, when the pause is over. */
  function onChange(): void {
    if (streams.size === 0) return
    const left = recheckedAt + PAUSE_MS - performance.now()
    if (left <= 0) recheck()
    else pause ??= setTimeout(recheck, left)
  }

  function recheck(): void {
    clearTimeout(pause)
    pause = undefined
    recheckedAt = performance.now()
    // Of those that are there now: one whose end is not due yet is watched anew at once.
    for (const stream of [...streams]) void examine(stream)
  }

  async function examine(stream: OpenStream): Promise<void> {
    try {
      const token = await verify(stream.text, Math.floor(clock()))
      await revocation.require(token, stream.text)
    } catch (error) {
      if (!streams.delete(stream)) return
      try {
        stream.end(whyEnded(error))
      } catch {
        // A host that cannot end one stream must not end the process, and with it all others.
      }
    }
  }

  return {
    watch,
    close(): void {
      streams.clear()
      stop()
      clearTimeout(pause)
    },
  }
}

function whyEnded(error: unknown): StreamEnd {
  if (!(error instanceof Refusal)) return 'unknown'
  return error.reason === 'token_expired' ? 'expired' : 'revoked'
}
