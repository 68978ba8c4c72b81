import { AgentError } from './errors.ts'
import type { Fetch } from './fetch.ts'

export interface JsonAnswer {
  readonly status: number
  readonly headers: Headers
  /** Undefined when the answer is no JSON. */
  readonly body: unknown
}

const MAX_BYTES = 1_048_576

/**
 * One exchange with an authorization server, everything bounded: `timeout` seconds for headers and body together,
 * 1 MiB of body, and no redirects, since a redirect would let the network choose who receives a secret.
 * Throws {@link AgentError} for these, never for a status.
 */
export async function exchangeJson(
  fetchFn: Fetch,
  url: string | URL,
  init: RequestInit,
  timeout = 30,
): Promise<JsonAnswer> {
  const { origin, pathname } = new URL(url)
  const place = origin + pathname
  try {
    const signal = AbortSignal.timeout(timeout * 1000)
    const response = await fetchFn(String(url), { ...init, redirect: 'manual', signal })
    if (response.type === 'opaqueredirect' || (response.status >= 300 && response.status < 400)) {
      await response.body?.cancel().catch(() => undefined)
      throw new AgentError('protocol', `${place} redirects; use the URL it redirects to`)
    }
    return {
      status: response.status,
      headers: response.headers,
      body: parseJson(await readText(response, place)),
    }
  } catch (cause) {
    if (cause instanceof AgentError) throw cause
    throw new AgentError('network', `${place} did not answer; check that it is running and reachable`, {
      cause,
    })
  }
}

async function readText(response: Response, place: string): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > MAX_BYTES) throw new AgentError('protocol', `${place} answered with more than 1 MiB`)
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
