import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { ratios, spread } from '../measure.ts'
import type { Row, Scenario } from '../scenario.ts'
import type { WebSamples } from '../web/run.ts'

const fileOf = (name: string) => fileURLToPath(new URL(`../web/${name}.js`, import.meta.url))

export const web: Scenario = {
  name: 'web',
  title: 'Without node:crypto, as on Workers, against one subtle.verify',
  async run(settings) {
    const child = fork(fileOf('run'), { execArgv: ['--import', fileOf('register')] })
    child.send(settings)
    const [raced] = (await once(child, 'message')) as [WebSamples]
    return {
      rows: raced.flatMap(rowsOf),
      notes: ["measured on Node's WebCrypto; ratios to one subtle.verify"],
    }
  },
}

function rowsOf({ work, samples }: WebSamples[number]): Row[] {
  const base = samples[0]?.[1] ?? []
  return samples.map(([contender, of]) => {
    const { wall, cpu } = ratios(of, base)
    const micros = spread(of.map(({ wall }) => wall))
    return { work, contender, figures: { 'wall, × subtle': wall, 'CPU, × subtle': cpu, µs: micros } }
  })
}
