import { defineConfig } from 'electron-vite'
import { rendererConfig } from './desktop/renderer/vite.config.ts'

export default defineConfig({
  main: { build: { outDir: 'out/main', rollupOptions: { input: 'desktop/main/index.ts' } } },
  // A sandboxed preload must be one CommonJS file: it cannot require a package.
  preload: {
    build: {
      outDir: 'out/preload',
      externalizeDeps: false,
      rollupOptions: {
        input: 'desktop/preload/index.ts',
        output: { format: 'cjs', entryFileNames: '[name].cjs' },
      },
    },
  },
  // electron-vite takes outDir from the repository root, vite itself from the root of the page; minified, as vite does.
  renderer: {
    ...rendererConfig,
    build: { ...rendererConfig.build, outDir: 'out/renderer', minify: true },
  },
})
