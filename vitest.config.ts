import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/rig/**', 'test/bench/**', 'test/campaign/**'],
    // Real git, real processes, real browsers on two cores: slow is not failed.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    env: { OPENCLAW_HQ_INSTALL: import.meta.dirname },
  },
})
