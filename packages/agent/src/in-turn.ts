const queues = new Map<string, Promise<unknown>>()

/** Runs `work` when all earlier work under the same name in this process is done, whatever became of it. */
export async function inTurn<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  const turn = (queues.get(name) ?? Promise.resolve()).then(work, work)
  const settled = turn.catch(() => undefined)
  queues.set(name, settled)
  try {
    return await turn
  } finally {
    if (queues.get(name) === settled) queues.delete(name)
  }
}
