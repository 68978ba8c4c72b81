import { generateKeyPair } from '../support/exchange.ts'
import type { Fleet } from './fleet.ts'
import type { Answer, Fields, Send } from './send.ts'

/** One kind of request, how often it comes, and what must come of it. */
export interface Kind {
  readonly name: string
  /** Out of all weights. */
  readonly weight: number
  /** Sends it. @returns what is wrong with the outcome, `undefined` when nothing is */
  run(): Promise<string | undefined>
}

const KEPT_PROOFS = 5000

/** Two thirds of honest requests, and everything a thief, a fool and a flood would send beside them. */
export async function createTraffic(fleet: Fleet, send: Send): Promise<readonly Kind[]> {
  const thief = generateKeyPair()
  const used: { at: number; fields: Fields; host: number }[] = []
  const elsewhere = await fleet.mint(fleet.pick(), { audience: 'https://other.example/mcp' })
  const late = await fleet.mint(fleet.pick(), { expiresIn: -1 })
  const fields = (token: string, proof?: string, scheme = 'DPoP'): Fields => ({
    authorization: `${scheme} ${token}`,
    ...(proof === undefined ? {} : { dpop: proof }),
  })
  const host = () => (Math.random() < 0.5 ? 0 : 1)
  const expect = ({ status, error }: Answer, wanted: number, code?: string) =>
    status === wanted && error === code ? undefined : `${status} ${error}, not ${wanted} ${code}`

  const refused = (name: string, weight: number, status: number, code: string, make: () => Fields): Kind => ({
    name,
    weight,
    run: async () => expect(await send(host(), make()), status, code),
  })

  return [
    {
      name: 'honest',
      weight: 66,
      async run() {
        const member = fleet.pick()
        const sent = { at: Date.now(), host: host(), fields: fields(member.token, fleet.proof(member)) }
        const answer = await send(sent.host, sent.fields)
        if (answer.status === 200 && Math.random() < 0.2) {
          used.push(sent)
          if (used.length > KEPT_PROOFS) used.shift()
        }
        return expect(answer, 200)
      },
    },
    {
      name: 'proof used before, sent to the other process',
      weight: 8,
      async run() {
        const old = used[Math.floor(Math.random() * used.length)]
        if (old === undefined || Date.now() - old.at > 40_000) return undefined
        const answer = await send(1 - old.host, old.fields)
        // Its token may have been revoked since.
        return expect(answer, 401, answer.error === 'invalid_token' ? answer.error : 'invalid_dpop_proof')
      },
    },
    {
      name: 'one proof to both processes at once',
      weight: 2,
      async run() {
        const member = fleet.pick()
        const both = fields(member.token, fleet.proof(member))
        const answers = await Promise.all([send(0, both), send(1, both)])
        const statuses = answers.map(({ status }) => status).sort()
        return String(statuses) === '200,401' ? undefined : `answered ${statuses}`
      },
    },
    refused('stolen token as Bearer', 4, 401, 'invalid_token', () =>
      fields(fleet.pick().token, undefined, 'Bearer'),
    ),
    refused('stolen token without a proof', 3, 401, 'invalid_dpop_proof', () => fields(fleet.pick().token)),
    refused("stolen token with the thief's key", 4, 401, 'invalid_token', () => {
      const { token } = fleet.pick()
      return fields(token, fleet.proof({ token, key: thief }))
    }),
    refused('proof for another server', 3, 401, 'invalid_dpop_proof', () => {
      const member = fleet.pick()
      return fields(member.token, fleet.proof(member, { htu: 'https://other.example/mcp' }))
    }),
    refused('token for another server', 2, 401, 'invalid_token', () => {
      const { key } = fleet.pick()
      return fields(elsewhere, fleet.proof({ key, token: elsewhere }))
    }),
    refused('token that has expired', 1, 401, 'invalid_token', () => {
      const { key } = fleet.pick()
      return fields(late, fleet.proof({ key, token: late }))
    }),
    refused('forged token', 2, 401, 'invalid_token', () => {
      const member = fleet.pick()
      const [header, payload] = member.token.split('.')
      const token = `${header}.${payload}.${Buffer.alloc(64, Math.random() * 256).toString('base64url')}`
      return fields(token, fleet.proof({ ...member, token }))
    }),
    refused('garbage', 3, 401, 'invalid_token', () =>
      fields(`${Math.random()}.${'x'.repeat(3000)}.x`, 'a.b.c'),
    ),
    {
      name: 'token that was revoked',
      weight: 2,
      async run() {
        const member = fleet.gone[Math.floor(Math.random() * fleet.gone.length)]
        if (member === undefined) return undefined
        const answer = await send(host(), fields(member.token, fleet.proof(member)))
        return expect(answer, 401, 'invalid_token')
      },
    },
  ]
}
