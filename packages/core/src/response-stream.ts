import type { AuthInfo } from './auth-info.ts'
import type { Guard } from './guard.ts'

/**
 * A response that goes on, and ends with the token it was opened with: a stream of events however the token ends, as it
 * was let in once and would otherwise last for as long as it likes; any other that is sent in chunks only when the token is
 * revoked. What is not sent so is returned as it is.
 */
export function endWithToken(response: Response, guard: Pick<Guard, 'watch'>, auth: AuthInfo): Response {
  const { headers } = response
  const isEvents = headers.get('content-type')?.startsWith('text/event-stream') ?? false
  if (!(isEvents || headers.get('transfer-encoding') === 'chunked')) return response
  // Looked at last: some hosts make a stream only for who asks for it.
  const { body } = response
  if (body === null) return response
  let unwatch: () => void = () => undefined
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>({
    start(controller) {
      unwatch = guard.watch(auth, (reason) => {
        if (isEvents || reason === 'revoked') controller.terminate()
      })
    },
  })
  body
    .pipeTo(writable)
    .catch(() => undefined)
    .finally(unwatch)
  return new Response(readable, response)
}
