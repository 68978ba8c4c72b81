import type { ResponseHeaders } from '@sharkguard/core'

/** The response with the guard's header fields added to its own, where they are not the same. */
export function withHeaders(response: Response, headers: ResponseHeaders): Response {
  const copy = new Response(response.body, response)
  for (const [name, value] of Object.entries(headers)) {
    if (copy.headers.get(name) !== value) copy.headers.append(name, value)
  }
  return copy
}
