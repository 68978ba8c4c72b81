import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Bytes in typed arrays that something still holds. What one collection has found is given back by the next. */
export function arrayBufferBytes(): number {
  for (let times = 0; times < 3; times++) collect()
  return process.memoryUsage().arrayBuffers
}
