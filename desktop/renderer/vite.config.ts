import { resolve } from 'node:path'
import react from '@vitejs/plugin-react'
import type { UserConfig } from 'vite'

/**
 * The one web build: Electron, `hq serve` and the console show the same files. Paths are relative to the root of the
 * repository, where every build starts. `base: './'` because the three serve it from different addresses.
 */
export const rendererConfig = {
  root: 'desktop/renderer',
  base: './',
  plugins: [react()],
  build: {
    outDir: resolve('out/renderer'),
    emptyOutDir: true,
    target: 'es2023',
    sourcemap: false,
    // Read from disk or loopback: one file is quicker than many, and its size does not matter.
    chunkSizeWarningLimit: 1500,
    // The polyfill would be an extra script for browsers that none of the three is.
    modulePreload: { polyfill: false },
    rollupOptions: { input: 'desktop/renderer/index.html' },
  },
} satisfies UserConfig
