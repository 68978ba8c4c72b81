import { connect } from 'node:net'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { IssuerUnderTest, Key } from './support/issuer-under-test.ts'

const test = new IssuerUnderTest()
beforeAll(() => test.start())
afterAll(() => test.issuer.close())

/** What SharkAuth's Python SDK sends for step 3 of its quickstart, byte for byte, to a `client_secret_basic` client. */
it('the request of the quickstart, as its SDK writes it on the wire, gets a token bound to the key and to the audience', async () => {
  const { clientId, clientSecret } = await test.issuer.registerAgent({ authMethod: 'client_secret_basic' })
  const key = await Key.generate()
  const body =
    `grant_type=client_credentials&client_id=${clientId}&client_secret=${clientSecret}` +
    '&scope=mcp%3Aread&audience=https%3A%2F%2Fmcp.example.com'
  const { host } = new URL(test.url)
  const lines = [
    'POST /oauth/token HTTP/1.1',
    `Host: ${host}`,
    'User-Agent: python-requests/2.32.3',
    'Accept-Encoding: gzip, deflate',
    'Accept: */*',
    'Connection: close',
    `DPoP: ${await key.proof(`${test.url}/oauth/token`, test.now)}`,
    `Content-Length: ${body.length}`,
    'Content-Type: application/x-www-form-urlencoded',
  ]
  const answer = await exchange(host, `${lines.join('\r\n')}\r\n\r\n${body}`)
  expect(answer).toMatch(/^HTTP\/1\.1 200 /)
  const json = JSON.parse(answer.slice(answer.indexOf('{'), answer.lastIndexOf('}') + 1))
  expect(json).toMatchObject({
    token_type: 'DPoP',
    scope: 'mcp:read',
    expires_in: 300,
    cnf: { jkt: key.jkt },
  })
  expect(decodeJwt(json.access_token)).toMatchObject({
    iss: test.url,
    aud: 'https://mcp.example.com',
    client_id: clientId,
    sub: clientId,
    scope: 'mcp:read',
    cnf: { jkt: key.jkt },
  })
})

function exchange(host: string, request: string): Promise<string> {
  const [hostname, port] = host.split(':')
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(request))
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk
    })
    socket.on('end', () => resolve(text))
    socket.on('error', reject)
  })
}
