import { defineConfig } from 'vitest/config'

/** The same properties as in `npm test`, over many more seeds (`npm run campaign`). `CAMPAIGN_SEEDS` says how many, default 200. */
export default defineConfig({
  test: {
    include: ['test/campaign/**/*.test.ts'],
    globalSetup: ['test/support/build.ts'],
    testTimeout: 3_600_000,
    hookTimeout: 300_000,
    maxWorkers: 2,
    env: { OPENCLAW_HQ_INSTALL: import.meta.dirname },
  },
})
