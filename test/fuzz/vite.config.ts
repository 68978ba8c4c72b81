import { fileURLToPath } from 'node:url'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** Bundles the targets into one script, for a fuzzer that instruments what it requires. */
export default {
  resolve: {
    alias: [
      { find: /^@sharkguard\/([\w-]+)$/, replacement: here('../../packages/$1/src/index.ts') },
      { find: '#runtime', replacement: here('../../packages/core/src/runtime/node.ts') },
    ],
  },
  ssr: { noExternal: true },
  logLevel: 'warn',
  build: {
    ssr: here('./entry.ts'),
    minify: false,
    rollupOptions: { output: { format: 'cjs', entryFileNames: 'entry.cjs' } },
  },
}
