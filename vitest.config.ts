import { defineConfig } from 'vitest/config'
import { LongestFirst } from './test/support/longest-first.ts'
import { memoryTemp } from './test/support/memory-temp.ts'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/rig/**', 'test/bench/**', 'test/campaign/**'],
    // Real git, real processes, real browsers on two cores: slow is not failed.
    globalSetup: ['test/support/build.ts'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    teardownTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
    // More files than cores: tests wait for processes more than they compute.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    env: { OPENCLAW_HQ_INSTALL: import.meta.dirname, TMPDIR: memoryTemp() },
  },
})
