import { Agent, request } from 'node:http'

export type Fields = Readonly<Record<string, string>>

export interface Answer {
  readonly status: number
  /** Of the body; absent from what is let in. */
  readonly error: string | undefined
}

/** Sends to one of the processes. Rejects when no answer comes: a lost decision. */
export type Send = (host: number, fields: Fields) => Promise<Answer>

/** Over connections that are kept. */
export function createSend(ports: readonly number[], path: string): Send & { close(): void } {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  const send: Send = (host, headers) =>
    new Promise((resolve, reject) => {
      const options = {
        agent,
        port: ports[host],
        host: '127.0.0.1',
        path,
        method: 'POST',
        headers,
        timeout: 10_000,
      }
      const outgoing = request(options, (incoming) => {
        let body = ''
        incoming.setEncoding('utf8')
        incoming.on('data', (chunk) => {
          body += chunk
        })
        incoming.on('error', reject)
        incoming.on('end', () => {
          const status = incoming.statusCode as number
          const { error } = status === 200 ? {} : (JSON.parse(body) as { error?: string })
          resolve({ status, error })
        })
      })
      outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in ten seconds')))
      outgoing.on('error', reject)
      outgoing.end()
    })
  return Object.assign(send, { close: () => agent.destroy() })
}
