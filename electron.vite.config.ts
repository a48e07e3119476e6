import { defineConfig } from 'electron-vite'
import { rendererConfig } from './desktop/renderer/vite.config.ts'

export default defineConfig({
  main: { build: { outDir: 'out/main', rollupOptions: { input: 'desktop/main/index.ts' } } },
  // A sandboxed preload must be one CommonJS file: it cannot require a package.
  preload: {
    build: {
      outDir: 'out/preload',
      externalizeDeps: false,
      rollupOptions: { input: 'desktop/preload/index.ts', output: { format: 'cjs', entryFileNames: '[name].cjs' } },
    },
  },
  renderer: rendererConfig,
})
