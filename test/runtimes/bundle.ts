import { fileURLToPath } from 'node:url'
import { build, type Metafile } from 'esbuild'

export const folder = fileURLToPath(new URL('.', import.meta.url))

/** For Node, Bun and Deno: TypeScript is taken away, packages are found by the runtime itself, by its own conditions. */
export async function bundleCommand(): Promise<string> {
  const outfile = `${folder}dist/portable.js`
  await build({
    entryPoints: [`${folder}portable/command.ts`],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    logLevel: 'warning',
  })
  return outfile
}

/** As for Workers without any compatibility flag: whatever is imported from `node:` stays an import that fails there. */
export async function bundleForWorkers(
  entry: { file: string } | { text: string },
  outfile?: string,
): Promise<Metafile> {
  const { metafile } = await build({
    ...('file' in entry
      ? { entryPoints: [`${folder}${entry.file}`] }
      : { stdin: { contents: entry.text, resolveDir: folder } }),
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    conditions: ['workerd', 'worker', 'browser'],
    mainFields: ['module', 'main'],
    external: ['node:*', 'cloudflare:*', '*/runtime/node.ts'],
    metafile: true,
    logLevel: 'warning',
    ...(outfile === undefined ? { write: false } : { outfile }),
  })
  return metafile
}

/** Modules of Node that are there as soon as the bundle loads, each with who imports it. */
export function staticNodeImports({ inputs }: Metafile): string[] {
  return Object.entries(inputs).flatMap(([file, { imports }]) =>
    imports
      .filter(({ path, kind }) => path.startsWith('node:') && kind !== 'dynamic-import')
      .map(({ path }) => `${file} imports ${path}`),
  )
}
