import { installed } from '../support/npm-tool.ts'

/** A runtime as npm has it. */
export interface Runtime {
  readonly name: string
  /** What npm installs: one version, so that a new release of a runtime cannot turn a check red by itself. */
  readonly source: string
  readonly command: string
  /** Before the program's name. */
  readonly flags: readonly string[]
  /** Which side of core's seam it must get. */
  readonly seam: 'node' | 'web'
}

const node = (version: string): Runtime => ({
  name: `Node ${version}`,
  source: `node-${process.platform}-${process.arch}@${version}`,
  command: 'node',
  flags: [],
  seam: 'node',
})

/** The first is the oldest that `engines` allows. */
export const NODES = ['20.19.0', '22.23.3', '24.21.0', '26.10.0'].map(node)

/**
 * Bun's node:crypto verifies faster than its WebCrypto (ES256 64 against 91 µs); Deno's is half as fast as its WebCrypto
 * (709 against 372 µs), and a rewrite of its own besides.
 */
export const OTHERS: readonly Runtime[] = [
  { name: 'Bun', source: 'bun@1.4.5', command: 'bun', flags: [], seam: 'node' },
  { name: 'Deno', source: 'deno@2.9.6', command: 'deno', flags: ['run', '-A'], seam: 'web' },
]

export const WORKERD = { source: 'workerd@1.20261117.1', command: 'workerd' }

/** @returns the program's path */
export function install({ source, command }: Pick<Runtime, 'source' | 'command'>): string {
  return `${installed(source)}.bin/${command}`
}
