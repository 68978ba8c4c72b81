import { AgentError } from './errors.ts'

/** How a client sends its secret (RFC 6749 §2.3.1). */
export type AuthMethod = 'client_secret_basic' | 'client_secret_post'

/** Who asks. Without a secret the client is public and only names itself. */
export interface ClientAuthentication {
  readonly clientId: string
  readonly clientSecret?: string | undefined
  /** Default: `'client_secret_basic'`. */
  readonly authMethod?: AuthMethod | undefined
}

/** Puts the client's authentication into a form request (RFC 6749 §2.3.1). */
export function authenticate(client: ClientAuthentication, form: URLSearchParams, headers: Headers): void {
  const { clientId, clientSecret, authMethod = 'client_secret_basic' } = client
  if (typeof clientId !== 'string' || clientId === '') {
    throw new AgentError('configuration', 'clientId must be the id the client is registered with')
  }
  if (clientSecret !== undefined && authMethod === 'client_secret_basic') {
    headers.set('authorization', `Basic ${btoa(`${formEncode(clientId)}:${formEncode(clientSecret)}`)}`)
    return
  }
  form.set('client_id', clientId)
  if (clientSecret !== undefined) form.set('client_secret', clientSecret)
}

function formEncode(value: string): string {
  return new URLSearchParams([['', value]]).toString().slice(1)
}
