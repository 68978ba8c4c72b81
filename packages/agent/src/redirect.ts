import type { Call } from './call.ts'
import { AgentError } from './errors.ts'

export function isRedirect(response: Response): boolean {
  return [301, 302, 303, 307, 308].includes(response.status) && response.headers.has('location')
}

/**
 * The request that follows a redirect, by fetch's rules: 303, and 301 or 302 after a POST, become a GET without a body;
 * everything else is repeated as it was. Throws {@link AgentError} where fetch would refuse too.
 */
export function followRedirect(call: Call, response: Response): Call {
  if (call.init.redirect === 'error')
    throw new AgentError('redirect', 'the server redirects, and redirect is "error"')
  const url = parseLocation(response.headers.get('location') ?? '', call.url)
  const { status } = response
  const becomesGet =
    status === 303 ? !/^(?:GET|HEAD)$/.test(call.method) : status < 303 && call.method === 'POST'
  if (becomesGet) {
    const headers = new Headers(call.headers)
    for (const name of [...headers.keys()]) if (name.startsWith('content-')) headers.delete(name)
    return { ...call, url, method: 'GET', headers, body: undefined }
  }
  if (call.body?.replayable === false) {
    throw new AgentError('redirect', 'the server redirects a streamed body that is too long to send again')
  }
  return { ...call, url }
}

function parseLocation(location: string, base: URL): URL {
  let url: URL
  try {
    url = new URL(location, base)
  } catch {
    throw new AgentError('redirect', 'the server redirects to something that is no URL')
  }
  if (!/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    throw new AgentError('redirect', 'the server redirects to something that is no plain http or https URL')
  }
  if (url.hash === '') url.hash = base.hash
  return url
}
