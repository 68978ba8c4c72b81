/** A request body that may have to be sent more than once. */
export interface RequestBody {
  /** Starts an attempt. */
  open(): NonNullable<RequestInit['body']>
  /** Whether another attempt is possible. */
  readonly replayable: boolean
  /** No further attempt will come. */
  release(): void
}

/** A stream is kept in memory for another attempt up to here; what is longer goes out once. */
const MAX_KEPT = 1_048_576

export function bufferedBody(bytes: Uint8Array<ArrayBuffer>): RequestBody {
  return { open: () => bytes, replayable: true, release: () => undefined }
}

/**
 * A one-shot stream. What has gone out is kept, so that the next attempt begins with it and continues with the rest,
 * also when the server refused before it had read everything.
 */
export function streamedBody(source: ReadableStream<Uint8Array>): RequestBody {
  const reader = source.getReader()
  const chunks: Uint8Array[] = []
  let size = 0
  let ended = false
  let attempt = 0
  let abandoned = false
  let reading: Promise<void> | undefined

  /** One read at a time, whichever attempt asked: a chunk read for an attempt that was given up is not lost. */
  function readMore(): Promise<void> {
    reading ??= reader
      .read()
      .then(({ done, value }) => {
        ended = done
        if (value === undefined) return
        size += value.length
        chunks.push(value)
      })
      .finally(() => {
        reading = undefined
      })
    return reading
  }

  function open(): ReadableStream<Uint8Array> {
    const mine = ++attempt
    let position = 0
    abandoned = false
    return new ReadableStream({
      async pull(controller) {
        if (position === chunks.length && !ended) await readMore()
        if (mine !== attempt) return controller.error(new Error('another attempt has begun'))
        const chunk = chunks[position]
        if (chunk === undefined) return controller.close()
        position++
        if (size > MAX_KEPT) position -= chunks.splice(0, position).length
        controller.enqueue(chunk)
      },
      cancel() {
        abandoned = mine === attempt
      },
    })
  }

  return {
    open,
    get replayable() {
      return size <= MAX_KEPT
    },
    release() {
      if (abandoned && !ended) reader.cancel().catch(() => undefined)
    },
  }
}
