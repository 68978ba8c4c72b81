import { execFile, spawnSync } from 'node:child_process'
import { type RunningIssuer, startIssuer } from '@sharkguard/issuer'
import { decodeJwt } from 'jose'
import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const RESOURCE = 'https://mcp.example.com/mcp'
const CALLBACK = 'https://client.example/callback'
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'
const grantTypes = ['client_credentials', 'authorization_code', 'refresh_token']

let issuer: RunningIssuer
beforeAll(async () => {
  issuer = await startIssuer({ autoApprove: true, nonce: true })
})
afterAll(() => issuer.close())

const register = (more = {}) => issuer.registerAgent({ grantTypes, redirectUris: [CALLBACK], ...more })

/** What a browser does: asks, and is sent back. */
async function approve(url: URL): Promise<URL> {
  const response = await fetch(url, { redirect: 'manual' })
  return new URL(response.headers.get('location') ?? '')
}

async function allowExchange(agent: { clientId: string }, subject: string): Promise<void> {
  const response = await fetch(`${issuer.url}/api/v1/admin/may-act`, {
    method: 'POST',
    headers: { authorization: `Bearer ${issuer.adminKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ from_id: agent.clientId, to_id: subject }),
  })
  expect(response.status).toBe(201)
}

describe('oauth4webapi', () => {
  const insecure = { [oauth.allowInsecureRequests]: true }
  let as: oauth.AuthorizationServer

  beforeAll(async () => {
    const identifier = new URL(issuer.url)
    const response = await oauth.discoveryRequest(identifier, { algorithm: 'oauth2', ...insecure })
    as = await oauth.processDiscoveryResponse(identifier, response)
  })

  /** Sends it again with the nonce that was asked for. */
  async function withNonce<T>(send: () => Promise<T>): Promise<T> {
    try {
      return await send()
    } catch (error) {
      if (!oauth.isDPoPNonceError(error)) throw error
      return send()
    }
  }

  it('gets bound tokens by client_credentials, introspects and revokes them', async () => {
    const { clientId, clientSecret } = await register()
    const client: oauth.Client = { client_id: clientId }
    const authentication = oauth.ClientSecretBasic(clientSecret)
    const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'))
    const parameters = { resource: RESOURCE, scope: 'mcp:read' }
    const token = await withNonce(async () =>
      oauth.processClientCredentialsResponse(
        as,
        client,
        await oauth.clientCredentialsGrantRequest(as, client, authentication, parameters, {
          DPoP,
          ...insecure,
        }),
      ),
    )
    expect(token.token_type).toBe('dpop')
    const introspect = async () =>
      oauth.processIntrospectionResponse(
        as,
        client,
        await oauth.introspectionRequest(as, client, authentication, token.access_token, insecure),
      )
    expect(await introspect()).toMatchObject({
      active: true,
      aud: RESOURCE,
      scope: 'mcp:read',
      token_type: 'DPoP',
    })
    const revoked = await oauth.revocationRequest(as, client, authentication, token.access_token, insecure)
    await oauth.processRevocationResponse(revoked)
    expect(await introspect()).toEqual({ active: false })
  })

  it('goes through authorization code, refresh and token exchange', async () => {
    const { clientId, clientSecret } = await register()
    const client: oauth.Client = { client_id: clientId }
    const authentication = oauth.ClientSecretPost(clientSecret)
    const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'))
    const verifier = oauth.generateRandomCodeVerifier()
    const state = oauth.generateRandomState()
    const url = new URL(as.authorization_endpoint as string)
    url.search = new URLSearchParams({
      client_id: clientId,
      response_type: 'code',
      redirect_uri: CALLBACK,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      scope: 'a b',
      resource: RESOURCE,
      state,
      dpop_jkt: await DPoP.calculateThumbprint(),
    }).toString()
    const parameters = oauth.validateAuthResponse(as, client, await approve(url), state)
    const options = { DPoP, ...insecure }
    const tokens = await withNonce(async () =>
      oauth.processAuthorizationCodeResponse(
        as,
        client,
        await oauth.authorizationCodeGrantRequest(
          as,
          client,
          authentication,
          parameters,
          CALLBACK,
          verifier,
          options,
        ),
      ),
    )
    const refreshed = await oauth.processRefreshTokenResponse(
      as,
      client,
      await oauth.refreshTokenGrantRequest(
        as,
        client,
        authentication,
        tokens.refresh_token as string,
        options,
      ),
    )
    expect(refreshed.scope).toBe('a b')
    await allowExchange({ clientId }, 'usr_test')
    const exchanged = await oauth.processGenericTokenEndpointResponse(
      as,
      client,
      await oauth.genericTokenEndpointRequest(
        as,
        client,
        authentication,
        EXCHANGE,
        { subject_token: refreshed.access_token, subject_token_type: ACCESS_TOKEN, scope: 'a' },
        options,
      ),
    )
    expect(decodeJwt(exchanged.access_token)).toMatchObject({
      sub: 'usr_test',
      scope: 'a',
      act: { sub: clientId },
      cnf: { jkt: await DPoP.calculateThumbprint() },
    })
  })

  it('authenticates by private_key_jwt', async () => {
    const { privateKey, publicKey } = await oauth.generateKeyPair('ES256', { extractable: true })
    const jwk = await crypto.subtle.exportKey('jwk', publicKey)
    const keys = [{ kty: 'EC', crv: 'P-256', x: jwk.x!, y: jwk.y! }]
    const { clientId } = await register({ authMethod: 'private_key_jwt', jwks: { keys } })
    const client: oauth.Client = { client_id: clientId }
    const request = oauth.clientCredentialsGrantRequest(
      as,
      client,
      oauth.PrivateKeyJwt(privateKey),
      { resource: RESOURCE },
      insecure,
    )
    const token = await oauth.processClientCredentialsResponse(as, client, await request)
    expect(token.token_type).toBe('bearer')
  })
})

describe('openid-client', () => {
  const options: openid.DiscoveryRequestOptions = {
    algorithm: 'oauth2',
    execute: [openid.allowInsecureRequests],
  }

  it('goes through client_credentials, authorization code, refresh and exchange, bound throughout', async () => {
    const { clientId, clientSecret } = await register()
    const authentication = openid.ClientSecretBasic(clientSecret)
    const config = await openid.discovery(new URL(issuer.url), clientId, undefined, authentication, options)
    const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair('ES256'))
    const machine = await openid.clientCredentialsGrant(config, { resource: RESOURCE }, { DPoP })
    expect(machine.token_type).toBe('dpop')

    const pkceCodeVerifier = openid.randomPKCECodeVerifier()
    const expectedState = openid.randomState()
    const url = openid.buildAuthorizationUrl(config, {
      redirect_uri: CALLBACK,
      scope: 'a b',
      resource: RESOURCE,
      code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
      state: expectedState,
    })
    const checks = { pkceCodeVerifier, expectedState }
    const tokens = await openid.authorizationCodeGrant(config, await approve(url), checks, undefined, {
      DPoP,
    })
    const refreshed = await openid.refreshTokenGrant(config, tokens.refresh_token as string, undefined, {
      DPoP,
    })
    expect(refreshed.refresh_token).not.toBe(tokens.refresh_token)

    await allowExchange({ clientId }, 'usr_test')
    const parameters = { subject_token: refreshed.access_token, subject_token_type: ACCESS_TOKEN, scope: 'b' }
    const exchanged = await openid.genericGrantRequest(config, EXCHANGE, parameters, { DPoP })
    expect(exchanged.scope).toBe('b')
    expect(decodeJwt(exchanged.access_token).act).toMatchObject({ sub: clientId })

    await openid.tokenRevocation(config, exchanged.access_token)
    expect((await openid.tokenIntrospection(config, exchanged.access_token)).active).toBe(false)
  })
})

/** The first Python that has it: Debian's own, where another one comes first. */
const python = ['python3', '/usr/bin/python3'].find(
  (command) => spawnSync(command, ['-c', 'import jwt, cryptography']).status === 0,
)
if (python === undefined) console.log('skipped: PyJWT reads the keys (no Python with jwt and cryptography)')

describe('PyJWT', () => {
  it.skipIf(python === undefined)('reads the keys and verifies a token, of every algorithm', async () => {
    const algorithms = ['ES256', 'EdDSA', 'RS256', 'PS256'] as const
    const everything = await startIssuer({ algorithms })
    for (const algorithm of algorithms) {
      const token = await everything.mintToken({ resource: RESOURCE, algorithm })
      const program = [
        'import jwt, sys',
        'url, token, issuer, audience = sys.argv[1:]',
        'key = jwt.PyJWKClient(url).get_signing_key_from_jwt(token)',
        `claims = jwt.decode(token, key.key, algorithms=["${algorithm}"], issuer=issuer, audience=audience)`,
        'print(claims["client_id"])',
      ]
      // Asynchronous, since this process is the server.
      const args = ['-c', program.join('\n'), `${everything.url}/.well-known/jwks.json`, token]
      const printed = await new Promise<string>((resolve, reject) => {
        execFile(python!, [...args, everything.url, RESOURCE], (error, stdout, stderr) =>
          error ? reject(new Error(stderr)) : resolve(stdout),
        )
      })
      expect(printed.trim()).toBe('test-client')
    }
    await everything.close()
  })
})
