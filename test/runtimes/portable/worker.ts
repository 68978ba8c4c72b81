import { run } from './main.ts'

/** The suite on workerd, for `workerd test`. */
// biome-ignore lint/style/noDefaultExport: this is what the runtime looks for.
export default {
  async test(): Promise<void> {
    const { passed, failures } = await run()
    for (const failure of failures) console.log(failure)
    console.log(`${passed} passed, ${failures.length} failed`)
    if (failures.length > 0) throw new Error('some failed')
  },
}
