import type { AuthInfo } from './auth-info.ts'
import type { Guard } from './guard.ts'
import type { StreamEnd } from './open-streams.ts'

type Watcher = Pick<Guard, 'watch'>

/** How often a stream that sends something is watched anew: whoever looked after it may have ended (Workers). */
const ANEW_MS = 2000

/** A response of `node:http`, as far as it is looked at here. */
export interface NodeResponse {
  readonly headersSent: boolean
  readonly destroyed?: boolean
  /** In HTTP/2, where it is the stream that is destroyed. */
  readonly stream?: { readonly destroyed: boolean }
  getHeader(name: string): unknown
  once(event: 'close', listener: () => void): unknown
  destroy(): unknown
}

/**
 * A response that goes on, and ends with the token it was opened with: a stream of events however the token ends, as it
 * was let in once and would otherwise last for as long as it likes; any other that is sent in chunks only when the token is
 * revoked. What is not sent so is returned as it is.
 */
export function endWithToken(response: Response, guard: Watcher, auth: AuthInfo): Response {
  const { headers } = response
  const isEvents = isEventStream(headers.get('content-type'))
  if (!(isEvents || headers.get('transfer-encoding') === 'chunked')) return response
  // Looked at last: some hosts make a stream only for who asks for it.
  const { body } = response
  if (body === null) return response
  let unwatch: () => void = () => undefined
  let watchedAt = 0
  const watch = (controller: TransformStreamDefaultController<Uint8Array>) => {
    unwatch()
    watchedAt = performance.now()
    unwatch = watchFor(
      (reason) => mustEnd(reason, isEvents),
      () => controller.terminate(),
      guard,
      auth,
    )
  }
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>({
    start: watch,
    transform(chunk, controller) {
      controller.enqueue(chunk)
      if (performance.now() - watchedAt > ANEW_MS) watch(controller)
    },
  })
  body
    .pipeTo(writable)
    .catch(() => undefined)
    .finally(() => unwatch())
  return new Response(readable, response)
}

/**
 * The same for a response of `node:http`, whatever is going to be sent. What has not begun is left alone until it does: its
 * request was decided when it came, and may be the very one that revokes the token. Destroyed rather than ended: whoever
 * goes on writing is told so by no error.
 */
export function breakOffWithToken(response: NodeResponse, guard: Watcher, auth: AuthInfo): void {
  // Its client may have gone while the request was decided: nothing would say so again, and it would be watched for ever.
  if (response.destroyed || response.stream?.destroyed) return
  const isDue = (reason: StreamEnd) =>
    response.headersSent && mustEnd(reason, isEventStream(response.getHeader('content-type')))
  response.once(
    'close',
    watchFor(isDue, () => response.destroy(), guard, auth),
  )
}

function mustEnd(reason: StreamEnd, isEvents: boolean): boolean {
  return isEvents || reason === 'revoked'
}

function isEventStream(contentType: unknown): boolean {
  return typeof contentType === 'string' && contentType.startsWith('text/event-stream')
}

/** Watches on until it is time. @returns the undo */
function watchFor(
  isDue: (reason: StreamEnd) => boolean,
  end: () => void,
  guard: Watcher,
  auth: AuthInfo,
): () => void {
  let unwatch: () => void
  const watch = () => {
    unwatch = guard.watch(auth, (reason) => (isDue(reason) ? end() : watch()))
  }
  watch()
  return () => unwatch()
}
