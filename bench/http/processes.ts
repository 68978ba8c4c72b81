import { type ChildProcess, fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Resource } from '../world.ts'
import type { Framework, Front, HostOrder, LoadOrder, LoadReport, Usage } from './protocol.ts'

/** Whether processes can be held to one core each. */
export const PINNED = availableParallelism() > 1 && spawnSync('taskset', ['-V']).status === 0

/** A server under load. */
export interface Host {
  readonly front: Front
  readonly port: number
  usage(): Promise<Usage>
  stop(): void
}

export async function startHost(framework: Framework, front: Front, resource: Resource): Promise<Host> {
  const order: HostOrder = { framework, front, resource }
  const child = start('host', [JSON.stringify(order)], 0)
  const port = await answerOf<number>(child)
  return {
    front,
    port,
    usage() {
      child.send('usage')
      return answerOf<Usage>(child)
    },
    stop: () => child.disconnect(),
  }
}

export async function startLoad() {
  const child = start('load', [], 1)
  const { resource } = (await answerOf<LoadReport>(child)) as LoadReport & { kind: 'resource' }
  const ask = (order: LoadOrder) => {
    child.send(order)
    return answerOf<LoadReport>(child)
  }
  return {
    resource,
    prepare: (requests: number) => ask({ kind: 'prepare', requests }),
    async fire(port: number, connections: number, requests: number) {
      return (await ask({ kind: 'fire', port, connections, requests })) as LoadReport & { kind: 'fired' }
    },
    stop: () => child.disconnect(),
  }
}

function start(name: string, args: string[], core: number): ChildProcess {
  const module = fileURLToPath(new URL(`./${name}.js`, import.meta.url))
  if (!PINNED) return fork(module, args)
  return fork(module, args, { execPath: 'taskset', execArgv: ['-c', String(core), process.execPath] })
}

/** The next message; an end of the process instead is an error. */
async function answerOf<Message>(child: ChildProcess): Promise<Message> {
  const ended = new AbortController()
  const onExit = (code: number | null) => ended.abort(new Error(`a process of the benchmark ended: ${code}`))
  child.once('exit', onExit)
  try {
    const [message] = await once(child, 'message', { signal: ended.signal })
    return message as Message
  } catch (error) {
    throw ended.signal.aborted ? ended.signal.reason : error
  } finally {
    child.off('exit', onExit)
  }
}
