import { defineConfig } from 'vitest/config'
import base from './vitest.config.ts'

/** For `pnpm mutate`: the test beside the source that is mutated, by which each wrong line of it should be noticed. */
export default defineConfig({
  ...base,
  test: { ...base.test, include: [`packages/core/test/${process.env.SUBJECT}*.test.ts`] },
})
