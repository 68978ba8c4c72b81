import { defineConfig } from 'vitest/config'

/** What `pnpm check:all` runs beyond the tests: built packages, as others will have them, in every runtime. */
export default defineConfig({
  test: {
    include: ['test/**/*.check.ts'],
    // Each step installs or starts whole programs: one at a time, and with patience.
    fileParallelism: false,
    testTimeout: 900_000,
    hookTimeout: 600_000,
  },
})
