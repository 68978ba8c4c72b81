import process from 'node:process'
import { run } from './main.ts'
import { sockets } from './sockets.ts'

/** The suite on Node, Bun and Deno. */
sockets()
const { passed, failures } = await run()
for (const failure of failures) console.log(failure)
console.log(`${passed} passed, ${failures.length} failed`)
process.exit(failures.length === 0 ? 0 : 1)
