import type { Context } from 'hono'
import { isClientAssertion, verifyClientAssertion } from './client-assertion.ts'
import { activeClient } from './clients.ts'
import { invalidClient, invalidRequest } from './errors.ts'
import type { Form } from './http.ts'
import type { Settings } from './options.ts'
import { isEqualInConstantTime, sha256 } from './random.ts'
import type { Client } from './records.ts'

/**
 * Authenticates a client (RFC 6749 §2.3): by its secret, in the `Authorization` header or in the body, whichever of the two
 * it was registered for, since SharkAuth's own SDK sends in the body what was registered for the header; by a signed
 * assertion (RFC 7523 §2.2); or not at all, if it is a public one.
 *
 * @param grace whether the secret before the last rotation will do, for as long as it may: at the token endpoint
 * @throws OAuthError `invalid_client`; `invalid_request` for more than one way at once
 */
export async function authenticateClient(
  c: Context,
  form: Form,
  settings: Settings,
  { grace = false } = {},
): Promise<Client> {
  const basic = parseBasic(c.req.header('authorization'))
  const bodySecret = form.get('client_secret')?.[0]
  const ways = [basic !== undefined, bodySecret !== undefined, isClientAssertion(form)]
  if (ways.filter(Boolean).length > 1) throw invalidRequest('The client authenticated in more than one way')
  const named = form.get('client_id')?.[0]
  if (isClientAssertion(form)) return verifyClientAssertion(form, named, settings)
  if (basic !== undefined && named !== undefined && named !== basic.id) {
    throw invalidRequest('client_id is not the client that authenticated')
  }
  const client = await activeClient(basic?.id ?? named, settings)
  const secret = basic?.secret ?? bodySecret
  if (
    secret === undefined ? client.authMethod === 'none' : await isSecretOf(client, secret, settings, grace)
  ) {
    return client
  }
  throw invalidClient()
}

async function isSecretOf(
  client: Client,
  secret: string,
  { clock }: Settings,
  grace: boolean,
): Promise<boolean> {
  const hash = await sha256(secret)
  const { secretHash, previousSecret } = client
  if (secretHash !== undefined && isEqualInConstantTime(hash, secretHash)) return true
  return (
    grace &&
    previousSecret !== undefined &&
    clock() < previousSecret.until &&
    isEqualInConstantTime(hash, previousSecret.hash)
  )
}

/** RFC 7617, with both parts form-encoded (RFC 6749 §2.3.1); `undefined` for another scheme. */
function parseBasic(authorization: string | undefined): { id: string; secret: string } | undefined {
  if (authorization === undefined || !/^basic(?: |$)/i.test(authorization)) return undefined
  try {
    const [, id, secret] = /^([^:]*):(.*)$/s.exec(atob(authorization.slice(6).trim())) ?? []
    const decode = (text = '') => decodeURIComponent(text.replaceAll('+', ' '))
    return { id: decode(id), secret: decode(secret) }
  } catch {
    throw invalidClient()
  }
}
