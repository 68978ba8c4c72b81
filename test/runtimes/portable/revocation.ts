import { DPoPProver } from '@sharkguard/agent'
import { equal, eventually, it } from './cases.ts'
import { World } from './world.ts'

/** Revocations reach the guard by long-poll, whatever the runtime's timers and streams are. */
export async function revocation(): Promise<void> {
  const clientId = 'revoked-client'
  const layers: Record<string, (world: World, token: string) => Promise<unknown>> = {
    'one token': (world, token) => world.issuer.revokeToken(token),
    'all tokens of an agent': (world) => world.issuer.revokeAgent(clientId),
    'agents by a pattern': (world) => world.issuer.revokePattern('revoked-*'),
  }
  for (const [what, revoke] of Object.entries(layers)) {
    it(`keeps out ${what} that the issuer revoked, and lets others in`, async () => {
      const world = await World.create()
      await world.guard.ready()
      const [token, other] = [await world.token({ clientId }), await world.token()]
      equal(await world.askWith(token), 'allowed')
      await revoke(world, token)
      await eventually(
        () => world.askWith(token),
        (answer) => answer === '401 token_revoked',
      )
      equal(await world.askWith(other), 'allowed')
      await world.close()
    })
  }

  it('retires the old key of an agent that rotates it', async () => {
    const world = await World.create()
    await world.guard.ready()
    const { clientId, agentId } = await world.issuer.registerAgent()
    const token = await world.token({ clientId })
    equal(await world.askWith(token), 'allowed')
    await world.issuer.rotateDpopKey(agentId, (await DPoPProver.generate()).publicJwk)
    await eventually(
      () => world.askWith(token),
      (answer) => answer === '401 token_revoked',
    )
    await world.close()
  })

  it('says 503, not 401, while the list has never been had', async () => {
    const world = await World.create()
    const mend = world.issuer.fail('revocation')
    equal(await world.askWith(await world.token()), '503 revocation_unavailable')
    mend()
    await eventually(
      async () => world.askWith(await world.token()),
      (answer) => answer === 'allowed',
    )
    await world.close()
  })
}
