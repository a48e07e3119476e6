import { defineConfig } from 'vitest/config'
import { LongestFirst } from './test/support/longest-first.ts'

/**
 * Tests that need root, Docker, systemd-nspawn or Tailscale (`npm run test:rig`). Three files at a time: each has a machine, or a Docker and network, of its own, and mostly waits.
 * The limits are for what hangs: nothing that goes on, on however busy a machine, comes near them.
 */
export default defineConfig({
  test: {
    include: ['test/rig/**/*.test.ts'],
    testTimeout: 1_800_000,
    hookTimeout: 2_400_000,
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    env: { OPENCLAW_HQ_INSTALL: import.meta.dirname },
  },
})
