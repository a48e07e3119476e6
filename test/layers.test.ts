import { describe, expect, it } from 'vitest'
import { circles, layerRules, sourceFiles, violationsIn } from './support/layers.ts'

const files = sourceFiles(process.cwd())

/** For each row of the table: a file of that folder, and an import that it may not have. */
const planted: readonly [folder: keyof typeof layerRules, file: string, text: string][] = [
  ['shared', 'shared/gates.ts', "import { join } from 'node:path'"],
  ['shared', 'shared/gates.ts', "import { runPipeline } from '#ops/core/pipeline/pipeline'"],
  ['shared/hostd-client', 'shared/hostd-client/request.ts', "import { fetch } from 'undici'"],
  ['ops/base', 'ops/base/http/get.ts', "import { git } from '#ops/platform/git/run-git'"],
  ['ops/platform', 'ops/platform/git/refs.ts', "import { x } from '#ops/core/trust/keys'"],
  ['ops/core', 'ops/core/proof/seal.ts', "import { x } from '../../host/runner/launch.ts'"],
  [
    'ops/host',
    'ops/host/runner/launch.ts',
    "import { runDoctor } from '#ops/features/doctor/index'",
  ],
  [
    'ops/features',
    'ops/features/ship/push.ts',
    "import { createApp } from '../../../hostd/app.ts'",
  ],
  ['ops/features', 'ops/features/ship/push.ts', "const x = await import('electron')"],
  ['ops/features', 'ops/features/guard/a.ts', "import '#ops/host/engines/compose/record'"],
  ['ops/features', 'ops/features/selftest/a.ts', "import '#ops/host/engines/compose/judge'"],
  [
    'ops/features',
    'ops/features/ship/push.ts',
    "import { x } from '#ops/features/deploy/verify/verify'",
  ],
  ['ops/cli', 'ops/cli/demo/up.ts', 'const here = import.meta.dirname'],
  ['ops/cli', 'ops/cli/demo/up.ts', "import { createApp } from '../../../hostd/app.ts'"],
  ['ops/console', 'ops/console/main.ts', "import '#ops/host/runner/launch'"],
  ['ops', 'ops/main.ts', "import { createOperator } from '../desktop/operator/operator.ts'"],
  ['hostd/log', 'hostd/log/log.ts', "import type { Store } from '../runs/store.ts'"],
  ['hostd/runs', 'hostd/runs/runs.ts', "import { mount } from '../http/mount.ts'"],
  ['hostd/http', 'hostd/http/mount.ts', "import { execRoutes } from '../routes/exec.ts'"],
  ['hostd/routes', 'hostd/routes/exec.ts', "import { createApp } from '../app.ts'"],
  ['hostd', 'hostd/app.ts', "import { createOperator } from '../desktop/operator/operator.ts'"],
  ['desktop/operator/base', 'desktop/operator/base/a.ts', "import '../host/http.ts'"],
  ['desktop/operator', 'desktop/operator/ships/ships.ts', "import { app } from 'electron'"],
  [
    'desktop/operator',
    'desktop/operator/ships/a.ts',
    "import '#ops/features/ship/state/ship-lock'",
  ],
  ['desktop/main', 'desktop/main/ipc.ts', "import { git } from '#ops/platform/git/run-git'"],
  ['desktop/serve', 'desktop/serve/server.ts', "export * from '#ops/base/paths/paths'"],
  ['desktop/preload', 'desktop/preload/index.ts', "import { x } from '../../hostd/app.ts'"],
  ['desktop/renderer/text', 'desktop/renderer/text/format.ts', "import { x } from '../ui/now.ts'"],
  ['desktop/renderer/bridge', 'desktop/renderer/bridge/a.ts', "import { x } from '../text/a.ts'"],
  ['desktop/renderer/ui', 'desktop/renderer/ui/a.tsx', "import { x } from '../state/facts.ts'"],
  ['desktop/renderer/state', 'desktop/renderer/state/a.ts', "import { x } from '../parts/b.tsx'"],
  ['desktop/renderer/parts', 'desktop/renderer/parts/a.tsx', "import { x } from '../pages/b.tsx'"],
  ['desktop/renderer/log', 'desktop/renderer/log/a.ts', "import { x } from '../parts/b.tsx'"],
  ['desktop/renderer/pages', 'desktop/renderer/pages/a/a.tsx', "import '../../app/app.tsx'"],
  ['desktop/renderer/pages', 'desktop/renderer/pages/a/a.tsx', "import '../b/b.tsx'"],
  ['desktop/renderer', 'desktop/renderer/app/app.tsx', "import '../pages/runs/run-page.tsx'"],
  ['desktop/renderer', 'desktop/renderer/main.tsx', "import { readFileSync } from 'node:fs'"],
  ['desktop/renderer', 'desktop/renderer/app/app.tsx', "import '../../operator/operator.ts'"],
]

describe('who may import whom', () => {
  it('holds in every source file', () => {
    const violations = [...files].flatMap(([file, text]) => violationsIn(file, text))
    expect(violations).toEqual([])
    expect(files.size).toBeGreaterThan(500)
  })

  it.each(planted)('refuses, by the row of %s, in %s: %s', (_row, file, text) => {
    expect(violationsIn(file, `// a first line\n${text}\n`)).toEqual([
      expect.objectContaining({ file, line: 2 }),
    ])
  })

  it('has a planted import for each row of the table', () => {
    expect([...new Set(planted.map(([folder]) => folder))].toSorted()).toEqual(
      Object.keys(layerRules).toSorted(),
    )
  })

  it.each([
    ['shared/gates.ts', "import { z } from 'zod'"],
    [
      'hostd/app.ts',
      "import fastify from 'fastify'\nimport { tryLock } from '#ops/base/files/lock'",
    ],
    [
      'ops/features/deploy/verify/verify.ts',
      "import { runDoctor } from '#ops/features/doctor/index'",
    ],
    ['desktop/renderer/app/pages.ts', "import { runsPage } from '../pages/runs/index.ts'"],
    ['desktop/renderer/pages/runs/index.ts', "import { RunsPage } from './runs-page.tsx'"],
    ['ops/cli/commands/ship.ts', "import { runShip } from '#ops/features/ship/run-ship'"],
    [
      'desktop/renderer/app/app.tsx',
      "import { createRoot } from 'react-dom/client'\nimport { gatesOf } from '#shared/state/gates'",
    ],
  ])('allows in %s: %s', (file, text) => {
    expect(violationsIn(file, text)).toEqual([])
  })
})

describe('the environment of the process', () => {
  it.each([
    "const home = process.env['HOME']",
    'const home = process.env.HOME',
    "const home = process['env'].HOME",
    'const { env } = process',
    "import { env } from 'node:process'",
  ])('is refused outside ops/base/env.ts: %s', (text) => {
    expect(violationsIn('hostd/main.ts', `// a first line\n${text}\n`)).toEqual([
      expect.objectContaining({ line: 2, what: expect.stringContaining('ops/base/env.ts') }),
    ])
  })

  it('is read by ops/base/env.ts', () => {
    expect(violationsIn('ops/base/env.ts', 'const all = process.env')).toEqual([])
  })
})

describe('circles of imports', () => {
  it.each(['files', 'folders'] as const)('are absent between %s', (of) => {
    expect(circles(files, of)).toEqual([])
  })

  it('are found where one is planted, also through a third file', () => {
    const planted = new Map([
      ['ops/core/a/one.ts', "import '#ops/core/b/two'"],
      ['ops/core/b/two.ts', "import '../c/three.ts'"],
      ['ops/core/c/three.ts', "import type { X } from '#ops/core/a/one'"],
    ])
    expect(circles(planted, 'files')).toEqual([[...planted.keys()]])
    expect(circles(planted, 'folders')).toEqual([['ops/core/a', 'ops/core/b', 'ops/core/c']])
  })
})
