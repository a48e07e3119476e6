import { describe, expect, it } from 'vitest'
import { violationsBelow, violationsIn } from './support/layers.ts'

const root = process.cwd()

describe('who may import whom', () => {
  it('holds in every source file', () => {
    const { violations, files } = violationsBelow(root)
    expect(violations).toEqual([])
    expect(files).toBeGreaterThan(50)
  })

  it.each([
    ['shared/gates.ts', "import { join } from 'node:path'"],
    ['shared/gates.ts', "import { runPipeline } from '#ops/pipeline'"],
    ['ops/ship/push.ts', "import { createApp } from '../../hostd/app.ts'"],
    ['ops/ship/push.ts', "const x = await import('electron')"],
    ['hostd/app.ts', "import { createOperator } from '../desktop/operator/operator.ts'"],
    ['desktop/operator/ships.ts', "import { app } from 'electron'"],
    ['desktop/main/ipc.ts', "import { git } from '#ops/git/run-git'"],
    ['desktop/serve/server.ts', "export * from '#ops/paths'"],
    ['desktop/renderer/app.tsx', "import { readFileSync } from 'node:fs'"],
    ['desktop/renderer/app.tsx', "import type { Operator } from '../operator/operator.ts'"],
    ['desktop/preload/index.ts', "import { createApp } from '../../hostd/app.ts'"],
    ['ops/demo/up.ts', 'const here = import.meta.dirname'],
  ])('refuses in %s: %s', (file, text) => {
    expect(violationsIn(file, `// a first line\n${text}\n`)).toEqual([
      expect.objectContaining({ file, line: 2 }),
    ])
  })

  it.each([
    ['shared/gates.ts', "import { z } from 'zod'"],
    ['hostd/app.ts', "import fastify from 'fastify'\nimport { tryLock } from '#ops/lock'"],
    [
      'desktop/renderer/app.tsx',
      "import { createRoot } from 'react-dom/client'\nimport { gatesOf } from '#shared/gates'",
    ],
  ])('allows in %s: %s', (file, text) => {
    expect(violationsIn(file, text)).toEqual([])
  })
})
