import type { AuthInfo } from '@sharkguard/core'
import { rpcError } from './body.ts'
import { sessionOwners } from './session-owners.ts'

/** What the MCP SDKs' handlers take beside the request. */
export interface HandlerOptions {
  readonly authInfo?: AuthInfo
  readonly parsedBody?: unknown
}

export type HandleRequest = (request: Request, options?: HandlerOptions) => Response | Promise<Response>

/** The handler, with sessions that belong to whoever opened them. */
export function withOwnedSessions(handle: HandleRequest) {
  const sessions = sessionOwners()

  return async (request: Request, options: HandlerOptions): Promise<Response> => {
    const sessionId = request.headers.get('mcp-session-id')
    // What the SDK's transports answer to a session they do not know: clients then open a new one.
    if (sessionId !== null && !sessions.admits(sessionId, options.authInfo))
      return rpcError(404, -32001, 'Session not found')
    const response = await handle(request, options)
    const opened = response.headers.get('mcp-session-id')
    if (opened !== null && opened !== sessionId) sessions.opened(opened, options.authInfo)
    if (sessionId !== null && request.method === 'DELETE' && response.ok) sessions.closed(sessionId)
    return response
  }
}
