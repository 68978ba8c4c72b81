import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { AuthInfo } from '../src/auth-info.ts'
import type { StreamEnd } from '../src/open-streams.ts'
import { endWithToken } from '../src/response-stream.ts'

const watched = new Set<(reason: StreamEnd) => void>()
const watch = vi.fn((_auth: AuthInfo, end: (reason: StreamEnd) => void) => {
  watched.add(end)
  return () => void watched.delete(end)
})

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] })
  watched.clear()
  watch.mockClear()
})
afterEach(() => {
  vi.useRealTimers()
})

/** A stream of events, as whoever reads it gets it. */
function open() {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
  const headers = { 'content-type': 'text/event-stream' }
  const response = endWithToken(new Response(readable, { headers }), { watch }, {} as AuthInfo)
  const [writer, reader] = [writable.getWriter(), response.body!.getReader()]
  return {
    reader,
    writer,
    send: async () => {
      await writer.write(Uint8Array.of(1))
      return (await reader.read()).value
    },
  }
}

it('a stream is watched until it ends', async () => {
  const { reader, writer, send } = open()
  expect(await send()).toEqual(Uint8Array.of(1))
  expect([watched.size, watch.mock.calls.length]).toEqual([1, 1])
  await writer.close()
  expect((await reader.read()).done).toBe(true)
  await vi.waitFor(() => expect(watched.size).toBe(0))
})

it('a stream that sends something is watched anew every two seconds, and ends all the same', async () => {
  const { reader, send } = open()
  vi.advanceTimersByTime(2000)
  await send()
  expect(watch).toHaveBeenCalledTimes(1)
  vi.advanceTimersByTime(1)
  await send()
  expect(watch).toHaveBeenCalledTimes(2)
  await send()
  expect([watched.size, watch.mock.calls.length]).toEqual([1, 2])
  for (const end of watched) end('revoked')
  expect((await reader.read()).done).toBe(true)
})
