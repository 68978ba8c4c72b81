import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type RequestBody, streamedBody } from '../src/request-body.ts'

const bytes = (length: number, fill: number) => new Uint8Array(length).fill(fill)

/** A live source: chunks come when they are pushed. */
function createSource() {
  let control: ReadableStreamDefaultController<Uint8Array>
  let cancelled = false
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => {
      control = controller
    },
    cancel: () => {
      cancelled = true
    },
  })
  return {
    stream,
    push: (chunk: Uint8Array) => control.enqueue(chunk),
    end: () => control.close(),
    fail: () => control.error(new Error('broken source')),
    isCancelled: () => cancelled,
  }
}

const open = (body: RequestBody) => body.open() as ReadableStream<Uint8Array>
const readAll = async (stream: ReadableStream<Uint8Array>) => [
  ...new Uint8Array(await new Response(stream).arrayBuffer()),
]

describe('a streamed body', () => {
  it('is sent whole in each attempt, wherever the attempt before was given up', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 5 })), fc.nat(6), async (chunks, given) => {
        const body = streamedBody(new Blob(chunks.map((chunk) => chunk.slice())).stream())
        const first = open(body).getReader()
        for (let reads = 0; reads < given; reads++) await first.read()
        first.cancel()
        expect(await readAll(open(body))).toEqual(chunks.flatMap((chunk) => [...chunk]))
      }),
    )
  })

  it('loses no chunk that an attempt was waiting for when it was given up', async () => {
    const source = createSource()
    const body = streamedBody(source.stream)
    const first = open(body).getReader()
    source.push(bytes(1, 1))
    await first.read()
    const pending = first.read()
    const second = readAll(open(body))
    source.push(bytes(1, 2))
    source.push(bytes(1, 3))
    source.end()
    expect(await second).toEqual([1, 2, 3])
    await expect(pending).rejects.toThrow(/another attempt/)
  })

  it('goes out once when it is longer than what is kept', async () => {
    const source = createSource()
    const body = streamedBody(source.stream)
    const reader = open(body).getReader()
    source.push(bytes(1_048_576, 1))
    await reader.read()
    expect(body.replayable).toBe(true)
    source.push(bytes(1, 2))
    expect((await reader.read()).value).toEqual(bytes(1, 2))
    expect(body.replayable).toBe(false)
    source.push(bytes(1, 3))
    expect((await reader.read()).value).toEqual(bytes(1, 3))
  })

  it('lets go of its source when nobody will read on', async () => {
    const source = createSource()
    const body = streamedBody(source.stream)
    await open(body).cancel()
    expect(source.isCancelled()).toBe(false)
    body.release()
    expect(source.isCancelled()).toBe(true)
  })

  it('lets an upload that outlives the answer go on', async () => {
    const source = createSource()
    const body = streamedBody(source.stream)
    const rest = readAll(open(body))
    body.release()
    source.push(bytes(2, 7))
    source.end()
    expect(await rest).toEqual([7, 7])
  })

  it('fails as its source fails', async () => {
    const source = createSource()
    const body = streamedBody(source.stream)
    const read = readAll(open(body))
    source.fail()
    await expect(read).rejects.toThrow(/broken source/)
  })
})
