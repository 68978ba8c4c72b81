import { rawVerify } from '../contenders/raw-verify.ts'
import { compete, createCourse, exchanges, rowsOf } from '../course.ts'
import { race } from '../measure.ts'
import type { Row, Scenario } from '../scenario.ts'

export const verification: Scenario = {
  name: 'verify',
  title: 'Accepted requests, one after another',
  async run(settings) {
    const course = await createCourse(settings)
    const { world, known, dpop, bearer, absent } = course
    const unbound = () => world.client({ cnf: undefined })
    const bearers = Array.from({ length: 100 }, unbound)
    const fresh = () => world.clients(settings.batch)
    const freshBearers = () => Array.from({ length: settings.batch }, unbound)
    const rows = [
      ...(await compete('DPoP, warm', course, settings, dpop, () => known)),
      ...(await compete('DPoP, new token and key', course, settings, dpop, fresh)),
      ...(await compete('Bearer, warm', course, settings, bearer, () => bearers)),
      ...(await compete('Bearer, new token', course, settings, bearer, freshBearers)),
    ]
    course.close()
    return { rows, notes: absent }
  },
}

export const algorithms: Scenario = {
  name: 'algorithms',
  title: 'Other signatures: EdDSA for token and proof; RS256 for the token, ES256 for the proof',
  async run(settings) {
    const rows: Row[] = []
    const notes: string[] = []
    for (const algorithm of ['EdDSA', 'RS256'] as const) {
      const course = await createCourse(settings, algorithm)
      const { world, known, dpop, limit, absent } = course
      notes.push(...absent.map((line) => `${algorithm}: ${line}`))
      const batch = () => exchanges(world, known, settings.batch)
      if (algorithm === 'EdDSA') {
        const raw = { ...limit, name: 'raw crypto.verify of Ed25519', checks: () => batch().map(rawVerify) }
        rows.push(...rowsOf('one Ed25519 signature', await race({ ...settings, lanes: [limit, raw], batch })))
      }
      const fresh = () => world.clients(settings.batch)
      rows.push(...(await compete(`DPoP, warm, ${algorithm}`, course, settings, dpop, () => known)))
      rows.push(...(await compete(`DPoP, new, ${algorithm}`, course, settings, dpop, fresh)))
      course.close()
    }
    return { rows, notes }
  },
}
