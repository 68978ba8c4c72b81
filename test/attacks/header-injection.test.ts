import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { parseChallenges } from '../support/challenges.ts'
import { Exchange } from '../support/exchange.ts'
import { HOSTS, type Host } from '../support/hosts.ts'
import { type RawAnswer, requestText, sendRaw } from '../support/raw-http.ts'

/** The attacker sends fields twice, joined, empty or broken, hoping that two readers take them differently. */
let exchange: Exchange
let host: Host
/** How often the handler had run before the attack. */
let ranBefore: number

const COMMON = [
  ['Host', 'mcp.example.com'],
  ['Connection', 'close'],
  ['Content-Length', '0'],
] as const

type Fields = readonly (readonly [string, string])[]
const send = (fields: Fields, line = 'POST /mcp') =>
  sendRaw(host.port, requestText(line, [...COMMON, ...fields]))

function credentials() {
  const token = exchange.token()
  return { token, authorization: `DPoP ${token}`, proof: exchange.proof(token) }
}

function expectRefused(answer: RawAnswer, status: number, error: string | undefined): void {
  expect(answer.status).toBe(status)
  const [challenge] = parseChallenges(answer.fields['www-authenticate']?.[0] as string)
  expect(challenge?.parameters.error).toBe(error)
  expect(answer.fields['www-authenticate']).toHaveLength(1)
  expectNothingRan()
}

function expectNothingRan(): void {
  expect(host.runs()).toBe(ranBefore)
}

describe.each(Object.entries(HOSTS))('before %s,', (_, start) => {
  beforeAll(async () => {
    exchange = await Exchange.start()
    host = await start(exchange.resource, { issuer: exchange.issuer, revocation: 'off' })
  })
  afterAll(async () => {
    await host.close()
    await exchange.close()
  })
  beforeEach(() => {
    ranBefore = host.runs()
  })

  describe('Authorization', () => {
    it('once is read, in any case of its name', async () => {
      for (const name of ['Authorization', 'authorization', 'AUTHORIZATION']) {
        const { authorization, proof } = credentials()
        expect(
          (
            await send([
              [name, authorization],
              ['dpop', proof],
            ])
          ).status,
        ).toBe(200)
      }
    })

    it.each<[string, (valid: string) => Fields]>([
      [
        'twice',
        (valid) => [
          ['Authorization', valid],
          ['Authorization', valid],
        ],
      ],
      [
        'twice, the second another',
        (valid) => [
          ['Authorization', valid],
          ['authorization', 'Bearer x'],
        ],
      ],
      [
        'twice, the first another',
        (valid) => [
          ['Authorization', 'Basic dTpw'],
          ['Authorization', valid],
        ],
      ],
      [
        'twice, one empty',
        (valid) => [
          ['Authorization', ''],
          ['Authorization', valid],
        ],
      ],
      [
        'twice with others between',
        (valid) => [
          ['Authorization', valid],
          ['X-A', 'b'],
          ['AUTHORIZATION', 'x'],
        ],
      ],
      ['joined', (valid) => [['Authorization', `${valid}, ${valid}`]]],
      ['joined with another', (valid) => [['Authorization', `${valid}, Bearer x`]]],
      ['with a comma after it', (valid) => [['Authorization', `${valid},`]]],
      ['with a space inside', (valid) => [['Authorization', valid.replace('.', ' .')]]],
      ['with two tokens', (valid) => [['Authorization', `${valid} x`]]],
      ['with a tab after the scheme', (valid) => [['Authorization', valid.replace(' ', '\t')]]],
      ['the scheme alone', () => [['Authorization', 'DPoP']]],
      ['the scheme and a space', () => [['Authorization', 'DPoP ']]],
    ])(
      '%s is an ambiguous or malformed request: 400 [6750-3.1-status] [9449-7.2-several] [MCP-R15]',
      async (_, fields) => {
        const { authorization, proof } = credentials()
        expectRefused(await send([...fields(authorization), ['DPoP', proof]]), 400, 'invalid_request')
      },
    )

    it.each(['Basic dTpw', 'Negotiate x', '', 'DPoP:x', 'x', 'Bear er x', 'DPo', 'DPoPDPoP x'])(
      '%j is no credential: 401 without an error [6750-3.1-none]',
      async (value) => {
        expectRefused(
          await send([
            ['Authorization', value],
            ['DPoP', credentials().proof],
          ]),
          401,
          undefined,
        )
      },
    )

    it('in Proxy-Authorization is none [9449-7.1-proxy]', async () => {
      const { authorization, proof } = credentials()
      expectRefused(
        await send([
          ['Proxy-Authorization', authorization],
          ['DPoP', proof],
        ]),
        401,
        undefined,
      )
    })

    it.each(['X-Authorization', 'Authorisation', 'Authorization-', 'Cookie'])(
      'in %s is none',
      async (name) => {
        const { authorization, proof } = credentials()
        expectRefused(
          await send([
            [name, authorization],
            ['DPoP', proof],
          ]),
          401,
          undefined,
        )
      },
    )

    it('of bytes beyond ASCII is a bad token', async () => {
      const { authorization, proof } = credentials()
      expectRefused(
        await send([
          ['Authorization', `${authorization}\xe9`],
          ['DPoP', proof],
        ]),
        401,
        'invalid_token',
      )
    })
  })

  describe('DPoP', () => {
    it.each<[string, (valid: string) => Fields]>([
      [
        'twice',
        (valid) => [
          ['DPoP', valid],
          ['DPoP', valid],
        ],
      ],
      [
        'twice in other cases',
        (valid) => [
          ['DPoP', valid],
          ['dpop', 'x'],
        ],
      ],
      [
        'twice, one empty',
        (valid) => [
          ['DPoP', ''],
          ['DPoP', valid],
        ],
      ],
      ['joined', (valid) => [['DPoP', `${valid}, ${valid}`]]],
      ['joined without a space', (valid) => [['DPoP', `${valid},${valid}`]]],
      ['with a comma', (valid) => [['DPoP', `${valid},`]]],
      ['not at all', () => []],
      ['empty', () => [['DPoP', '']]],
      ['in quotes', (valid) => [['DPoP', `"${valid}"`]]],
      ['with its own name', (valid) => [['DPoP', `DPoP ${valid}`]]],
      ['with a tab in it', (valid) => [['DPoP', valid.replace('.', '\t.')]]],
      ['of bytes beyond ASCII', (valid) => [['DPoP', `${valid}\xff`]]],
    ])('%s is a bad proof: 401 [9449-4.3-1] [9449-4.3-2] [SEP-D3] [SEP-D4]', async (_, fields) => {
      const { authorization, proof } = credentials()
      expectRefused(
        await send([['Authorization', authorization], ...fields(proof)]),
        401,
        'invalid_dpop_proof',
      )
    })
  })

  describe('what was sent', () => {
    const MARK = 'Zm9vYmFy-xss'
    it.each<[string, Fields]>([
      [
        'as a token',
        [
          ['Authorization', `DPoP ${MARK}`],
          ['DPoP', MARK],
        ],
      ],
      ['as a scheme', [['Authorization', `${MARK} x`]]],
      ['as a proof', [['DPoP', `<script>${MARK}</script>`]]],
      [
        'as another field',
        [
          ['Authorization', 'DPoP x'],
          ['X-Request-Id', MARK],
          ['Origin', `https://${MARK}`],
        ],
      ],
    ])('%s does not come back [6750-3-charset]', async (_, fields) => {
      const answer = await send(fields, `POST /${MARK}?${MARK}`)
      expect(answer.status).toBeGreaterThanOrEqual(400)
      expect(answer.text).not.toContain(MARK)
      expect(answer.fields['cache-control']).toEqual(['no-store'])
      expect(answer.fields['content-type']).toEqual(['application/json'])
      expectNothingRan()
    })
  })

  describe('a token elsewhere', () => {
    it.each(['access_token', 'token', 'authorization', 'jwt'])(
      '?%s= is not a credential [MCP-R16] [6750-2-header] [9700-4.3.2]',
      async (name) => {
        const { token, proof } = credentials()
        expectRefused(await send([['DPoP', proof]], `POST /mcp?${name}=${token}`), 401, undefined)
        expectRefused(await send([['DPoP', proof]], `POST /mcp?${name}=DPoP%20${token}`), 401, undefined)
      },
    )

    it('in a form or a cookie is not a credential, and the form is not read', async () => {
      const { token, proof } = credentials()
      const body = `access_token=${token}`
      const fields = [
        ['Host', 'mcp.example.com'],
        ['Connection', 'close'],
        ['Content-Type', 'application/x-www-form-urlencoded'],
        ['Content-Length', String(body.length)],
        ['Cookie', `access_token=${token}`],
        ['DPoP', proof],
      ] as const
      expectRefused(await sendRaw(host.port, requestText('POST /mcp', fields, body)), 401, undefined)
    })

    it('beside a valid credential changes nothing', async () => {
      const { authorization, proof } = credentials()
      const answer = await send(
        [
          ['Authorization', authorization],
          ['DPoP', proof],
        ],
        'POST /mcp?access_token=x',
      )
      expect(answer.status).toBe(200)
    })
  })
})
