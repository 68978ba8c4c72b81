import { createServer, type RequestListener } from 'node:http'

/** `app.listen` that resolves, and its opposite. */
export async function listen(listener: RequestListener, port: number) {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
