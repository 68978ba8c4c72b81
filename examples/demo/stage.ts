import pc from 'picocolors'

let number = 0
let failures = 0

/** Prints a step, runs it, and says how long it took. What it returns is the sentence that tells the outcome. */
export async function step(title: string, run: () => Promise<string>): Promise<void> {
  const label = `${String(++number).padStart(2)}  ${title}`
  const started = performance.now()
  try {
    const outcome = await run()
    const time = pc.dim(`${(performance.now() - started).toFixed(1)} ms`)
    console.log(
      `${pc.green('✓')} ${pc.bold(label)}  ${time}\n       ${outcome.replaceAll('\n', '\n       ')}`,
    )
  } catch (error) {
    failures++
    console.log(
      `${pc.red('✗')} ${pc.bold(label)}\n       ${pc.red(error instanceof Error ? (error.stack ?? error.message) : String(error))}`,
    )
  }
}

export function heading(text: string): void {
  console.log(`\n${pc.cyan(pc.bold(text))}`)
}

/** Whether every step did what it should. */
export function verdict(): boolean {
  const summary = `${number - failures} of ${number} steps did what they should`
  console.log(`\n${failures === 0 ? pc.green(pc.bold(summary)) : pc.red(pc.bold(summary))}`)
  return failures === 0
}

export function expectThat(condition: boolean, otherwise: string): void {
  if (!condition) throw new Error(otherwise)
}

/** An answer in the words of the wire: status and challenge. */
export function describeAnswer(response: Response): string {
  const challenge = response.headers.get('www-authenticate') ?? ''
  const error = /error="([^"]*)"/.exec(challenge)?.[1]
  const description = /error_description="([^"]*)"/.exec(challenge)?.[1]
  const color = response.ok ? pc.green : pc.yellow
  return `${color(`HTTP ${response.status}`)} ${error ?? response.statusText}${description ? pc.dim(` – ${description}`) : ''}`
}
