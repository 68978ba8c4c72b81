import { type AuthInfo, endWithToken, type RevocationSource, type StreamEnd } from '@sharkguard/core'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Endpoint, rpc } from './endpoint.ts'

let endpoint: Endpoint
afterEach(async () => {
  vi.useRealTimers()
  await endpoint?.close()
})

/** A stream that goes on for ever, and whether anybody still listens to it. */
function endlessEvents() {
  const state = { isCancelled: false, push: (_text: string): void => undefined }
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      state.push = (text) => controller.enqueue(new TextEncoder().encode(text))
    },
    cancel() {
      state.isCancelled = true
    },
  })
  return {
    state,
    response: () => new Response(body, { headers: { 'content-type': 'text/event-stream; charset=utf-8' } }),
  }
}

/** Reads to the end. */
async function readAll(response: Response): Promise<string> {
  return response.text()
}

describe('a stream of events', () => {
  it('ends when the token it was opened with expires', async () => {
    const { state, response } = endlessEvents()
    endpoint = await Endpoint.start({}, response)
    const answer = await endpoint.send(rpc('tools/call'))
    state.push('data: 1\n\n')
    const text = readAll(answer)
    const later = Date.now() / 1000 + 301
    endpoint.exchange.now = () => later
    expect(await text).toBe('data: 1\n\n')
    await vi.waitFor(() => expect(state.isCancelled).toBe(true))
  })

  it('ends when that token is revoked', async () => {
    const { state, response } = endlessEvents()
    let isRevoked = false
    const revocation: RevocationSource = {
      name: 'switch',
      open: () => ({
        ready: async () => undefined,
        check: () => (isRevoked ? 'revoked' : 'active'),
        close: () => undefined,
      }),
    }
    endpoint = await Endpoint.start({ revocation }, response)
    const answer = await endpoint.send(rpc('tools/call'))
    expect(answer.status).toBe(200)
    const text = readAll(answer)
    isRevoked = true
    expect(await text).toBe('')
    await vi.waitFor(() => expect(state.isCancelled).toBe(true))
  })
})

describe('endWithToken', () => {
  const auth = {} as AuthInfo

  function watched(response: Response) {
    const state = { end: (_reason: StreamEnd): void => expect.unreachable(), watching: 0 }
    const guard = {
      watch(_auth: AuthInfo, end: (reason: StreamEnd) => void) {
        state.watching++
        state.end = end
        return () => {
          state.watching--
        }
      },
    }
    return { state, answer: endWithToken(response, guard, auth) }
  }

  it('ends at a reader that waits', async () => {
    const { response, state: source } = endlessEvents()
    const { state, answer } = watched(response())
    const reading = answer.body!.getReader().read()
    state.end('revoked')
    expect((await reading).done).toBe(true)
    await vi.waitFor(() => expect([source.isCancelled, state.watching]).toEqual([true, 0]))
  })

  it('is watched no more when the handler ends it', async () => {
    const { state, answer } = watched(
      new Response('data: 1\n\n', { headers: { 'content-type': 'text/event-stream' } }),
    )
    expect(await answer.text()).toBe('data: 1\n\n')
    await vi.waitFor(() => expect(state.watching).toBe(0))
  })

  it('is watched no more, and stops, when the client goes away', async () => {
    const { response, state: source } = endlessEvents()
    const { state, answer } = watched(response())
    await answer.body!.cancel()
    await vi.waitFor(() => expect([source.isCancelled, state.watching]).toEqual([true, 0]))
  })

  it('hands an error of the handler on', async () => {
    const body = new ReadableStream({ pull: (controller) => controller.error(new Error('broken')) })
    const { state, answer } = watched(
      new Response(body, { headers: { 'content-type': 'text/event-stream' } }),
    )
    await expect(answer.text()).rejects.toThrow('broken')
    await vi.waitFor(() => expect(state.watching).toBe(0))
  })

  it('watches no response that ends by itself, and none without a body', () => {
    for (const response of [Response.json({}), new Response(null, { status: 202 })]) {
      const { state, answer } = watched(response)
      expect(answer).toBe(response)
      expect(state.watching).toBe(0)
    }
  })
})
