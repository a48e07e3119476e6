import { defineConfig } from 'vitest/config'

/** Tests that need root, Docker, systemd-nspawn or Tailscale (`npm run test:rig`). One at a time: they share the machine. */
export default defineConfig({
  test: {
    include: ['test/rig/**/*.test.ts'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    fileParallelism: false,
    env: { OPENCLAW_HQ_INSTALL: import.meta.dirname },
  },
})
