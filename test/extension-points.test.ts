import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa, type Result } from 'execa'
import type { Browser } from 'playwright'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { requiredConnectors } from '#shared/connectors/used'
import { checksResult, type ChecksResult } from '#shared/result'
import { nodeProgram } from '#ops/base/process/program'
import { serveRenderer, type BuiltRenderer } from './desktop/renderer/support/built-renderer.ts'
import { open } from './desktop/renderer/support/pages.ts'
import { overview, scene, status } from './desktop/renderer/support/scenes.ts'
import { launchBrowser, shown } from './support/browser.ts'
import { testHost, type TestHost } from './support/hostd.ts'

// Four of the six tasks of CONTRIBUTING.md, performed as it says in a copy of the package.

const root = process.cwd()
let copy: string
let host: TestHost

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'openclaw-extended-'))
  for (const part of [
    'package.json',
    '.prettierrc.json',
    'tsconfig.json',
    'electron.vite.config.ts',
    'shared',
    'ops',
    'hostd',
    'desktop',
    'scripts',
    'docs/reference',
  ])
    cpSync(join(root, part), join(copy, part), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  host = testHost({ install: copy })
})
afterAll(async () => {
  await host.remove()
  rmSync(copy, { recursive: true, force: true })
})

/** Adds a line to a file of the copy. @throws when the line before it is not there exactly once */
function addLine(file: string, after: string, line: string): void {
  const path = join(copy, file)
  const parts = readFileSync(path, 'utf8').split(after)
  if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times ${after}`)
  writeFileSync(path, parts.join(`${after}${line}`))
}

const inCopy = async (...args: string[]): Promise<Result> =>
  await execa(nodeProgram(root), args, {
    cwd: copy,
    env: { ...host.env, NODE_ENV: 'production' },
    extendEnv: false,
    reject: false,
  })

describe('a doctor check made of one file and one line', () => {
  let doctor: ChecksResult

  beforeAll(async () => {
    writeFileSync(
      join(copy, 'ops/features/doctor/checks/moon-phase.ts'),
      `import { warn } from '#ops/core/checks/check'
import type { HostCheck } from '#ops/core/checks/host-check'

export const moonPhase: HostCheck = {
  name: 'moon_phase',
  title: 'Phase of the moon',
  description: 'The moon is not full.',
  remedies: ['set_clock'],
  run: () => warn('The moon is full tonight.', 'set_clock'),
}
`,
    )
    const list = 'ops/features/doctor/checks.ts'
    addLine(
      list,
      '// the checks of what it runs.\n',
      "import { moonPhase } from './checks/moon-phase.ts'\n",
    )
    addLine(list, 'readonly HostCheck[] = [\n', '  moonPhase,\n')
    const { stdout, stderr } = await inCopy(join(copy, 'ops/main.ts'), 'doctor', '--json')
    doctor = checksResult.parse(JSON.parse(String(stdout) || String(stderr)))
  })

  it('is run by the command line', () => {
    expect(doctor.checks).toContainEqual(
      expect.objectContaining({
        name: 'moon_phase',
        status: 'WARN',
        detail: 'The moon is full tonight.',
        remedy: 'set_clock',
      }),
    )
  })

  it('stands in the reference, and the test of the reference requires it', async () => {
    const before = await inCopy('scripts/reference.mjs', '--check')
    expect([before.exitCode, before.stderr]).toEqual([1, expect.stringContaining('checks.md')])
    expect(await inCopy('scripts/reference.mjs')).toMatchObject({ exitCode: 0 })
    expect(readFileSync(join(copy, 'docs/reference/checks.md'), 'utf8')).toMatch(
      /`moon_phase`.*The moon is not full\./,
    )
  })

  describe('and a page made of one folder and one line', () => {
    let built: BuiltRenderer
    let browser: Browser

    beforeAll(async () => {
      mkdirSync(join(copy, 'desktop/renderer/pages/moon'))
      writeFileSync(
        join(copy, 'desktop/renderer/pages/moon/index.ts'),
        `import type { HqPage } from '../page.ts'
import { MoonPage } from './moon-page.tsx'

export const moonPage: HqPage = { path: '/moon', title: 'Moon', icon: 'doctor', Page: MoonPage }
`,
      )
      writeFileSync(
        join(copy, 'desktop/renderer/pages/moon/moon-page.tsx'),
        `import type { ReactElement } from 'react'

export function MoonPage(): ReactElement {
  return <h1>The moon tonight</h1>
}
`,
      )
      const list = 'desktop/renderer/app/pages.ts'
      addLine(
        list,
        "../pages/doctor/index.ts'\n",
        "import { moonPage } from '../pages/moon/index.ts'\n",
      )
      addLine(list, '  settingsPage,\n', '  moonPage,\n')
      const build = await inCopy(
        'node_modules/electron-vite/bin/electron-vite.js',
        'build',
        '--logLevel',
        'warn',
      )
      expect(build, String(build.stderr)).toMatchObject({ exitCode: 0 })
      ;[built, browser] = await Promise.all([
        serveRenderer(join(copy, 'out/renderer')),
        launchBrowser(),
      ])
    })
    afterAll(async () => {
      await browser.close()
      await built.close()
    })

    it('shows the page in the sidebar, the window title and the palette', async () => {
      const { page, complaints } = await open(browser, built, scene({}))
      await page
        .getByRole('navigation', { name: 'Main' })
        .getByRole('link', { name: 'Moon' })
        .click()
      await shown(page.getByRole('heading', { level: 1 })).toHaveText('The moon tonight')
      await shown(page).toHaveTitle(/Moon/)
      await page.keyboard.press('Control+k')
      await shown(page.getByRole('menuitem', { name: /Moon/ })).toBeVisible()
      expect(complaints).toEqual([])
      await page.context().close()
    })

    it('shows the check on the doctor page, as the command line found it', async () => {
      const found = scene({ 'overview.get': overview({ status: status({ last_doctor: doctor }) }) })
      const { page } = await open(browser, built, found, { path: '/doctor' })
      await shown(page.getByText('moon_phase').first()).toBeVisible()
      await shown(page.getByText('The moon is full tonight.').first()).toBeVisible()
      await page.context().close()
    })
  })
})

describe('a connector made of a file, a folder and a line for each', () => {
  interface Printed {
    checks: unknown[]
    connectors: { name: string }[]
  }

  beforeAll(() => {
    writeFileSync(
      join(copy, 'shared/connectors/moon.ts'),
      `import { z } from 'zod'
import type { ConnectorRow } from './row.ts'
import { timeoutSeconds } from './settings-fields.ts'

export const moon = {
  title: 'Moon',
  configuredBy: 'seen_from',
  modes: ['by_eye'],
  settings: z
    .strictObject({
      mode: z.literal('by_eye').default('by_eye').describe('How the moon is watched.'),
      seen_from: z.string().nullable().default(null).describe('Where the watcher stands.'),
      timeout_seconds: timeoutSeconds,
    })
    .prefault({})
    .describe('The connector of the moon.'),
  secretNames: [],
} as const satisfies ConnectorRow
`,
    )
    addLine(
      'shared/connectors/list.ts',
      "import { kajabi } from './kajabi.ts'\n",
      "import { moon } from './moon.ts'\n",
    )
    addLine('shared/connectors/list.ts', '  gmail,\n', '  moon,\n')
    mkdirSync(join(copy, 'ops/features/connectors/moon'))
    writeFileSync(
      join(copy, 'ops/features/connectors/moon/connector.ts'),
      `import type { Connector } from '../common/connector.ts'

export const moon: Connector<'moon'> = {
  check: async ({ settings }) => ({ detail: \`The moon was seen from \${settings.seen_from}.\` }),
}
`,
    )
    addLine(
      'ops/features/connectors/registry.ts',
      "import { kajabi } from './kajabi/connector.ts'\n",
      "import { moon } from './moon/connector.ts'\n",
    )
    addLine('ops/features/connectors/registry.ts', '  gmail,\n', '  moon,\n')
  })

  const check = async () => {
    const { stdout, stderr } = await inCopy(join(copy, 'ops/main.ts'), 'connectors', '--json')
    return JSON.parse(String(stdout) || String(stderr)) as Printed
  }

  it('is optional: a host that does not configure it is checked without it', async () => {
    const { connectors } = await check()
    expect(connectors.map(({ name }) => name)).toEqual(requiredConnectors)
  })

  it('is checked by the command line with its settings of host.json', async () => {
    writeFileSync(host.paths.hostSettings, JSON.stringify({ moon: { seen_from: 'Kiel' } }))
    const printed = await check()
    expect(printed.connectors.map(({ name }) => name)).toEqual([...requiredConnectors, 'moon'])
    expect(printed.checks).toContainEqual(
      expect.objectContaining({
        name: 'moon',
        status: 'PASS',
        detail: 'ready. The moon was seen from Kiel.',
      }),
    )
  })

  it('stands in the reference of the settings', async () => {
    expect(await inCopy('scripts/reference.mjs')).toMatchObject({ exitCode: 0 })
    expect(readFileSync(join(copy, 'docs/reference/configuration.md'), 'utf8')).toMatch(
      /`moon\.mode`.*How the moon is watched\./,
    )
  })
})

describe('an action made of one row and one command', () => {
  beforeAll(() => {
    addLine(
      'shared/actions.ts',
      'export const actions = {\n',
      `  moon_rise: {
    title: 'Moonrise',
    button: 'Compute the moonrise',
    summary: 'say when the moon rises',
    result: 'plain',
    bundle: null,
    argv: () => ['moon-rise'],
    params: noParams,
    timeout_seconds: 30,
    lane: 'status',
    in_maintenance: 'allowed',
    destructive: false,
  },
`,
    )
    writeFileSync(
      join(copy, 'ops/cli/commands/moon-rise.ts'),
      `import { runAsAction } from '#ops/host/hostd-client/check-command'
import { doneDocument } from '#ops/core/pipeline/documents'

export const run = (options: { json?: boolean }): Promise<number> =>
  runAsAction({ ...options, action: 'moon_rise' }, async ({ context }) => ({
    ...doneDocument(context.runId, new Date().toISOString()),
    rises: '21:15',
  }))
`,
    )
  })

  it('is started by the command line and leaves its result', async () => {
    const { stdout, stderr } = await inCopy(join(copy, 'ops/main.ts'), 'moon-rise', '--json')
    expect(JSON.parse(String(stdout) || String(stderr))).toMatchObject({
      overall: 'PASS',
      rises: '21:15',
    })
    const help = await inCopy(join(copy, 'ops/main.ts'), '--help')
    expect(help.stdout).toMatch(/moon-rise .*say when the moon rises/)
  })

  it('stands in the reference of commands and of the API', async () => {
    expect(await inCopy('scripts/reference.mjs')).toMatchObject({ exitCode: 0 })
    const page = (name: string): string => readFileSync(join(copy, 'docs/reference', name), 'utf8')
    expect(page('cli.md')).toMatch(/## hq moon-rise\n\nSay when the moon rises\./)
    expect(page('api.md')).toMatch(/`moon_rise` +\| Moonrise/)
  })
})
