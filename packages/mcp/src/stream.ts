import type { AuthInfo, Guard, ResponseHeaders } from '@sharkguard/core'

/** The response with the guard's header fields added to its own, where they are not the same. */
export function withHeaders(response: Response, headers: ResponseHeaders): Response {
  const copy = new Response(response.body, response)
  for (const [name, value] of Object.entries(headers)) {
    if (copy.headers.get(name) !== value) copy.headers.append(name, value)
  }
  return copy
}

/**
 * A stream of events ends when the token it was opened with does: it was let in once, and would otherwise go on for as
 * long as it likes. Any other response is returned as it is.
 */
export function endWithToken(response: Response, guard: Pick<Guard, 'watch'>, auth: AuthInfo): Response {
  const { body } = response
  if (body === null || !response.headers.get('content-type')?.startsWith('text/event-stream')) return response
  let unwatch: () => void = () => undefined
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>({
    start(controller) {
      unwatch = guard.watch(auth, () => controller.terminate())
    },
  })
  body
    .pipeTo(writable)
    .catch(() => undefined)
    .finally(unwatch)
  return new Response(readable, response)
}
