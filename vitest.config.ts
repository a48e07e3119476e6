import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/rig/**', 'test/e2e/**', 'test/bench/**'],
    // Real git, real processes, real HTTP on two cores: slow is not failed.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    env: { OPENCLAW_HQ_INSTALL: import.meta.dirname },
    reporters: process.env['OPENCLAW_JUNIT'] ? ['default', ['junit', { outputFile: process.env['OPENCLAW_JUNIT'] }]] : ['default'],
  },
})
