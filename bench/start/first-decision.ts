import type { Contender } from '../contender.ts'
import type { StartOrder, StartReport } from './protocol.ts'

/** Imports a contender, sets it up, and decides the first request, in a process that has done nothing else yet. */

process.once('message', async ({ module, exported, resource, token, proof }: StartOrder) => {
  const start = performance.now()
  const contender = ((await import(module)) as Record<string, Contender>)[exported] as Contender
  const imported = performance.now()
  const { dpop } = await contender.setup(resource)
  const allowed = await dpop?.(token, proof, resource.method, resource.uri)()
  const decided = performance.now()
  const report: StartReport = {
    allowed: allowed === true,
    importing: imported - start,
    deciding: decided - imported,
    rss: process.memoryUsage.rss(),
  }
  process.send?.(report, () => process.exit())
})
