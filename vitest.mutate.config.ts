import { defineConfig } from 'vitest/config'
import base from './vitest.config.ts'

const subjects =
  'access-token,base64url,challenge,confirmation,credentials,decision,guard,jws,profile,proof,public-jwk,scopes,survivors,target-uri'

/** For `pnpm mutate`: the tests beside the sources that are mutated, by which each wrong line should be noticed. */
export default defineConfig({
  ...base,
  test: { ...base.test, include: [`packages/core/test/{${subjects}}.test.ts`] },
})
