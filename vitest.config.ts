import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

// The packages' sources stand in for their names, so that coverage maps to what we write.
export default defineConfig({
  resolve: {
    alias: [
      { find: /^@sharkguard\/([\w-]+)$/, replacement: here('./packages/$1/src/index.ts') },
      { find: '#runtime', replacement: here('./packages/core/src/runtime/node.ts') },
      { find: '#public-fetch', replacement: here('./packages/issuer/src/public-fetch/node.ts') },
    ],
  },
  test: {
    include: [
      'packages/*/test/**/*.test.ts',
      'test/**/*.test.ts',
      ...(process.env.WYCHEPROOF ? ['test/vectors/*.vectors.ts'] : []),
    ],
    testTimeout: 30_000,
    // Half of the time goes by in waiting: for a stream to end, for a server to come back.
    maxWorkers: availableParallelism() + 1,
    coverage: {
      include: ['packages/*/src/**'],
      exclude: ['**/cli.ts'],
      reporter: ['text-summary', 'json-summary', 'html'],
      // What decides who is let in has no branch that nobody has been down.
      thresholds: { 'packages/core/src/**': { branches: 98, statements: 98, lines: 98, functions: 97 } },
    },
  },
})
