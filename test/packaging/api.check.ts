import { readdirSync } from 'node:fs'
import { expect, it } from 'vitest'
import { reportApi } from './api-report.ts'
import { root } from './packed.ts'

/** A change to what we export shows in review, as a change to docs/api; `pnpm check:api -u` writes it there. */
it.each(readdirSync(`${root}packages`))('%s exports what docs/api says', async (name) => {
  const report = reportApi(`${root}packages/${name}`, name)
  await expect(report).toMatchFileSnapshot(`${root}docs/api/${name}.api.md`)
})
