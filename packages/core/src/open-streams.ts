import type { AccessToken } from './access-token.ts'
import type { RevocationVerdict } from './revocation/source.ts'

/** Why an open stream is to be ended. `'unknown'`: whether the token is revoked cannot be said any more. */
export type StreamEnd = 'expired' | 'revoked' | 'unknown'

interface OpenStream {
  readonly token: AccessToken
  readonly text: string
  readonly end: (reason: StreamEnd) => void
}

/** How often open streams are looked at when no rule arrives in between: bounds how long one outlives its token. */
const INTERVAL_MS = 1000

/**
 * Streams that were let in once and are still open. A request is checked when it comes; a stream is checked as long as it
 * lasts: whenever revocations may have changed, and every second.
 */
export function createOpenStreams(
  clock: () => number,
  check: (token: AccessToken, text: string) => RevocationVerdict | Promise<RevocationVerdict>,
) {
  const streams = new Set<OpenStream>()
  let timer: ReturnType<typeof setInterval> | undefined

  function watch(stream: OpenStream): () => void {
    streams.add(stream)
    if (timer === undefined) {
      timer = setInterval(recheck, INTERVAL_MS)
      // On Node a timer keeps the process alive; waiting for a revocation is no reason to.
      ;(timer as { unref?: () => void }).unref?.()
    }
    return () => forget(stream)
  }

  function forget(stream: OpenStream): void {
    streams.delete(stream)
    if (streams.size > 0 || timer === undefined) return
    clearInterval(timer)
    timer = undefined
  }

  function recheck(): void {
    for (const stream of streams) {
      void examine(stream).then((reason) => {
        if (reason === undefined || !streams.has(stream)) return
        forget(stream)
        stream.end(reason)
      })
    }
  }

  async function examine({ token, text }: OpenStream): Promise<StreamEnd | undefined> {
    if (clock() >= token.expiresAt) return 'expired'
    try {
      return (await check(token, text)) === 'revoked' ? 'revoked' : undefined
    } catch {
      return 'unknown'
    }
  }

  return {
    watch,
    recheck,
    close(): void {
      for (const stream of [...streams]) forget(stream)
    },
  }
}
