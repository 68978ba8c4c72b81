import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { GuardOptions } from '@sharkguard/core'
import { sharkGuard } from '@sharkguard/express'
import express from 'express'

export interface RawAnswer {
  readonly status: number
  /** Fields by lower-case name, all values. */
  readonly fields: Readonly<Record<string, readonly string[]>>
  readonly body: string
  /** Everything, as it came. */
  readonly text: string
}

/** Sends exactly these bytes and reads until the server has nothing more to say. */
export async function sendRaw(
  port: number,
  text: string,
  after?: (socket: Socket) => void,
): Promise<RawAnswer> {
  const socket = connect(port, '127.0.0.1')
  const chunks: Buffer[] = []
  await new Promise<void>((resolve, reject) => {
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      if (isComplete(Buffer.concat(chunks).toString('latin1'))) resolve()
    })
    socket.on('end', resolve)
    socket.on('close', resolve)
    // A server that refuses an upload may close while bytes are still on their way.
    socket.on('error', (error) => (chunks.length > 0 ? resolve() : reject(error)))
    socket.setTimeout(5000, () => reject(new Error('no answer')))
    socket.write(Buffer.from(text, 'latin1'))
    after?.(socket)
  })
  socket.destroy()
  return parse(Buffer.concat(chunks).toString('latin1'))
}

function isComplete(text: string): boolean {
  const end = text.indexOf('\r\n\r\n')
  const length = /\r\ncontent-length: (\d+)/i.exec(text)?.[1]
  return end !== -1 && length !== undefined && text.length >= end + 4 + Number(length)
}

function parse(text: string): RawAnswer {
  const [head = '', ...rest] = text.split('\r\n\r\n')
  const [line = '', ...lines] = head.split('\r\n')
  const fields: Record<string, string[]> = Object.create(null)
  for (const field of lines) {
    const colon = field.indexOf(':')
    const name = field.slice(0, colon).toLowerCase()
    fields[name] = [...(fields[name] ?? []), field.slice(colon + 1).trim()]
  }
  return { status: Number(line.split(' ')[1]), fields, body: rest.join('\r\n\r\n'), text }
}

/** The text of a request: these fields, in this order, and nothing else. */
export function requestText(line: string, fields: readonly (readonly [string, string])[], body = ''): string {
  return `${line} HTTP/1.1\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`
}

/** A guarded Express app: the guard, a body parser, a handler; and what of it ran. */
export async function startExpress(audience: string, options: GuardOptions) {
  const guarded = sharkGuard(audience, options)
  const ran: string[] = []
  const app = express()
  app.use(guarded)
  app.use((_req, _res, next) => {
    ran.push('parser')
    next()
  })
  app.use(express.raw({ type: () => true, limit: '1gb' }))
  app.use((req, res) => {
    ran.push('handler')
    res.json({ client: req.auth?.clientId ?? null, bytes: (req.body as Buffer | undefined)?.length ?? 0 })
  })
  const server = createServer(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    ran,
    async close() {
      await guarded.guard.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
