import type { AuthInfo, Guard } from '@sharkguard/core'

/**
 * The response with the guard's header fields added. A stream of events ends when the token it was opened with does: it
 * was let in once, and would otherwise go on for as long as it likes.
 */
export function guardResponse(
  response: Response,
  headers: Readonly<Record<string, string>>,
  guard: Guard,
  auth: AuthInfo,
): Response {
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream')
  const body = isStream && response.body !== null ? endWithToken(response.body, guard, auth) : response.body
  const guarded = new Response(body, response)
  for (const [name, value] of Object.entries(headers)) guarded.headers.append(name, value)
  return guarded
}

function endWithToken(
  body: ReadableStream<Uint8Array>,
  guard: Guard,
  auth: AuthInfo,
): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  let unwatch: () => void = () => undefined
  return new ReadableStream({
    start(controller) {
      unwatch = guard.watch(auth, () => {
        controller.close()
        reader.cancel().catch(() => undefined)
      })
    },
    async pull(controller) {
      try {
        const { done, value } = await reader.read()
        if (!done) return controller.enqueue(value)
        unwatch()
        controller.close()
      } catch (error) {
        unwatch()
        controller.error(error)
      }
    },
    async cancel(reason) {
      unwatch()
      await reader.cancel(reason)
    },
  })
}
