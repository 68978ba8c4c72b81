/** A document could not be had: HTTP status, size, time, syntax. `status` is there when an answer came. */
export class FetchFailure extends Error {
  override readonly name = 'FetchFailure'
  readonly status: number | undefined

  constructor(url: string, problem: string, options: { status?: number; cause?: unknown } = {}) {
    super(`${url}: ${problem}`, options.cause === undefined ? {} : { cause: options.cause })
    this.status = options.status
  }
}

export interface FetchedText {
  readonly text: string
  readonly headers: Headers
}

/**
 * Fetches a document from an issuer with everything bounded: one deadline for headers and body together, a size limit
 * counted after decompression, no redirects (a redirect would let the network choose who the issuer is).
 */
export async function fetchText(
  fetchFn: typeof fetch,
  url: string,
  limits: { timeout: number; maxBytes: number; accept?: string; signal?: AbortSignal },
): Promise<FetchedText> {
  const deadline = createDeadline(limits.timeout, limits.signal)
  try {
    return await fetchBounded(fetchFn, url, limits, deadline.signal)
  } finally {
    deadline.end()
  }
}

async function fetchBounded(
  fetchFn: typeof fetch,
  url: string,
  limits: { maxBytes: number; accept?: string },
  signal: AbortSignal,
): Promise<FetchedText> {
  let response: Response
  try {
    const request = {
      headers: { accept: limits.accept ?? 'application/json' },
      redirect: 'manual',
      signal,
    } as const
    const ask = () => Promise.race([fetchFn(url, request), aborted(signal)])
    response = await ask().catch((cause: unknown) => {
      if (isReset(cause)) return ask()
      throw cause
    })
  } catch (cause) {
    throw new FetchFailure(url, 'no answer', { cause })
  }
  if (response.status !== 200) {
    await response.body?.cancel().catch(() => undefined)
    throw new FetchFailure(url, `status ${response.status}`, { status: response.status })
  }
  return { text: await readBounded(response, url, limits.maxBytes, signal), headers: response.headers }
}

/** Reads a body as UTF-8, at most so much of it, until the signal says stop. */
async function readBounded(
  response: Response,
  url: string,
  maxBytes: number,
  signal: AbortSignal,
): Promise<string> {
  const reader = response.body?.getReader()
  if (reader === undefined) return ''
  const stop = aborted(signal)
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let text = ''
  let size = 0
  try {
    for (;;) {
      const { done, value } = await Promise.race([reader.read(), stop])
      if (done) return text + decoder.decode()
      size += value.byteLength
      if (size > maxBytes) throw new FetchFailure(url, `more than ${maxBytes} bytes`)
      text += decoder.decode(value, { stream: true })
    }
  } catch (cause) {
    reader.cancel().catch(() => undefined)
    throw cause instanceof FetchFailure ? cause : new FetchFailure(url, 'broken off', { cause })
  }
}

/**
 * Says stop after some seconds, or when `outer` does. `AbortSignal.any` and `timeout` would do the same, but Node 20 never
 * lets go of what they return: some kilobytes for each question that a guard asks.
 */
function createDeadline(seconds: number, outer: AbortSignal | undefined) {
  const controller = new AbortController()
  const timeout = new DOMException('The operation was aborted due to timeout', 'TimeoutError')
  const timer = setTimeout(() => controller.abort(timeout), seconds * 1000)
  const stop = () => controller.abort(outer?.reason)
  if (outer?.aborted) stop()
  outer?.addEventListener('abort', stop, { once: true })
  return {
    signal: controller.signal,
    end(): void {
      clearTimeout(timer)
      outer?.removeEventListener('abort', stop)
    },
  }
}

/** Rejects when the signal says stop. Some runtimes abort no body that has begun, some fetch functions nothing: races do. */
function aborted(signal: AbortSignal): Promise<never> {
  const stop = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
  stop.catch(() => undefined)
  return stop
}

/**
 * Whether a kept connection was closed by the other side just when we used it again. Asking once more is what HTTP says
 * to do (RFC 9112 §9.3.1); servers on Node close idle ones after 5 s, which is just when an unknown `kid` asks again.
 */
function isReset(error: unknown): boolean {
  const { cause } = error as { cause?: { code?: unknown } }
  return ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'].includes(String(cause?.code))
}
