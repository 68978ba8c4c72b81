import { createClientDocuments } from '../client-metadata-document/client-documents.ts'
import { parseClientIdUrl } from '../client-metadata-document/client-id-url.ts'
import { findClient } from '../clients.ts'
import { invalidRequest, OAuthError } from '../errors.ts'
import type { Settings } from '../options.ts'
import type { Client } from '../records.ts'
import { isRegisteredUri } from './redirect-uri.ts'

/** Where answers to an authorization request may go: a client that is known, at an address that is its own. */
export interface Recipient {
  readonly client: Client
  readonly redirectUri: string
  /** As the request had it: the code can be redeemed only with the same, or with none. */
  readonly givenRedirectUri: string | undefined
  readonly state: string | undefined
}

/** Finds out whom an authorization request may be answered to, before anything else in it is looked at. */
export function createRecipients(settings: Settings) {
  const { store, clientMetadataDocuments } = settings
  const readDocument = createClientDocuments(settings)

  /** @throws OAuthError for the user to see: there is nobody to send it to (RFC 6749 §4.1.2.1) */
  return async function findRecipient(parameters: URLSearchParams): Promise<Recipient> {
    const client = await clientOf(single(parameters, 'client_id'))
    const given = single(parameters, 'redirect_uri')
    const redirectUri = given ?? (client.redirectUris.length === 1 ? client.redirectUris[0] : undefined)
    if (redirectUri === undefined) throw invalidRequest('The request does not say where to go afterwards')
    if (!isRegisteredUri(redirectUri, client.redirectUris)) {
      throw invalidRequest('The application is not registered for the address it wants you to be sent to')
    }
    const states = parameters.getAll('state')
    return {
      client,
      redirectUri,
      givenRedirectUri: given,
      state: states.length === 1 ? states[0] : undefined,
    }
  }

  async function clientOf(id: string | undefined): Promise<Client> {
    if (id === undefined) throw invalidRequest('The request does not say which application it comes from')
    const known = await findClient(store, id)
    if (known?.active === false)
      throw new OAuthError('invalid_client', 'The application has been deactivated')
    const isOff = clientMetadataDocuments === 'off'
    const url = isOff ? undefined : parseClientIdUrl(id, clientMetadataDocuments === 'loopback')
    if (url !== undefined) return readDocument(url)
    if (known === undefined) throw new OAuthError('invalid_client', 'The application is not known here')
    return known
  }
}

function single(parameters: URLSearchParams, name: string): string | undefined {
  const values = parameters.getAll(name)
  if (values.length > 1) throw invalidRequest('A parameter is repeated')
  return values[0] === '' ? undefined : values[0]
}
