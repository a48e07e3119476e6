import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { endTree, members } from '#ops/base/process/process-tree'
import { nodeProgram, programArgv } from '#ops/base/process/program'
import { compileCache } from './compile-cache.ts'
import type { z } from 'zod'
import type { projectConfig } from '#shared/config'
import { newRunId } from '#shared/ids'
import { shipResult, type ShipResult } from '#shared/result'

export interface Shipped {
  readonly exitCode: number | null
  readonly result: ShipResult
  readonly dir: string
  readonly stdout: string
  readonly stderr: string
}

export interface ShipRepo {
  readonly origin: string
  readonly repo: string
  readonly home: string
  readonly temp: string
  /** Environment of the ship: nothing of the test's own. */
  readonly env: Record<string, string>
  git(...args: string[]): string
  write(path: string, content: string): void
  config(change?: Partial<z.input<typeof projectConfig>> & Record<string, unknown>): void
  commit(message: string, files?: Record<string, string>): string
  /** Every ref of origin and what it names. */
  remoteRefs(): Record<string, string>
  settings(review: object, more?: object): void
  start(
    env?: Record<string, string>,
    more?: readonly string[],
  ): {
    readonly child: ChildProcess
    readonly runId: string
    readonly dir: string
    end(): Promise<Shipped>
  }
  ship(env?: Record<string, string>, more?: readonly string[]): Promise<Shipped>
  /** Worktrees, scratch folders and processes that a ship left; empty when it cleaned up. */
  leftovers(runId: string): string[]
  /** Ends every ship that still runs and removes the folder. */
  remove(): Promise<void>
}

const unit = {
  name: 'unit',
  argv: [
    nodeProgram(),
    '--test',
    '--test-reporter=junit',
    '--test-reporter-destination=report.xml',
    'app.test.mjs',
  ],
  report: { format: 'junit', path: 'report.xml' },
} as const

const passing = `import assert from 'node:assert/strict'
import { test } from 'node:test'
import { add } from './app.mjs'
test('adds', () => assert.equal(add(1, 2), 3))
`

/** A laptop clone with a bare origin, one commit that is on main, and operator settings that accept `baseUrl`. */
export function makeShipRepo(baseUrl: string): ShipRepo {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'ship-test-')))
  const [origin, repo, home, temp, user] = ['origin.git', 'laptop', 'hq', 'tmp', 'user'].map(
    (name) => join(root, name),
  ) as [string, string, string, string, string]
  for (const folder of [home, temp, user]) mkdirSync(folder)
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: user,
    ...compileCache,
    TMPDIR: temp,
    LANG: 'C.UTF-8',
    OPENCLAW_HQ_HOME: home,
    OPENCLAW_HQ_INSTALL: process.env['OPENCLAW_HQ_INSTALL'] ?? '',
    REVIEW_KEY: 'canary-key-4711',
  }
  const run = (cwd: string, ...args: string[]): string =>
    execFileSync('git', args, {
      cwd,
      encoding: 'utf8',
      env: { PATH: env.PATH, HOME: user },
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trimEnd()
  run(root, 'init', '--quiet', '--bare', '--initial-branch=main', origin)
  run(root, 'clone', '--quiet', origin, repo)
  // A test that makes thousands of objects would have git tidy up behind its back, also while the folder is removed.
  const quiet = '[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n[receive]\n\tautogc = false\n'
  appendFileSync(join(origin, 'config'), quiet)
  appendFileSync(
    join(repo, '.git', 'config'),
    `${quiet}[user]\n\tname = Test\n\temail = test@localhost\n`,
  )
  run(repo, 'symbolic-ref', 'HEAD', 'refs/heads/main')

  const write: ShipRepo['write'] = (path, content) => {
    mkdirSync(dirname(join(repo, path)), { recursive: true })
    writeFileSync(join(repo, path), content)
  }
  const [runIds, children]: [string[], ChildProcess[]] = [[], []]
  const self: ShipRepo = {
    origin,
    repo,
    home,
    temp,
    env,
    write,
    git: (...args) => run(repo, ...args),
    config: (change = {}) =>
      write(
        'openclaw.config.json',
        JSON.stringify({ schema_version: 1, project: 'sample', tests: [unit], ...change }, null, 2),
      ),
    commit: (message, files = {}) => {
      for (const [path, content] of Object.entries(files)) write(path, content)
      run(repo, 'add', '--all')
      run(repo, 'commit', '--quiet', '--allow-empty', '-m', message)
      return run(repo, 'rev-parse', 'HEAD')
    },
    remoteRefs: () =>
      Object.fromEntries(
        run(origin, 'for-each-ref', '--format=%(refname) %(objectname)')
          .split('\n')
          .filter(Boolean)
          .map((line) => line.split(' ') as [string, string]),
      ),
    settings: (review, settings = {}) =>
      writeFileSync(
        join(home, 'settings.json'),
        JSON.stringify({
          schema_version: 1,
          ...settings,
          review: {
            model: 'test-model',
            provider: 'loopback',
            providers: [
              {
                id: 'loopback',
                label: 'Loopback',
                base_url: baseUrl,
                env_key: 'REVIEW_KEY',
                scripted: true,
              },
            ],
            ...review,
          },
          baselines: existsSync(join(home, 'settings.json'))
            ? (
                JSON.parse(readFileSync(join(home, 'settings.json'), 'utf8')) as {
                  baselines: object
                }
              ).baselines
            : {},
        }),
      ),
    start: (more = {}, args = []) => {
      const runId = newRunId()
      const [program, ...rest] = programArgv('hq', [
        'ship',
        '--repo',
        repo,
        '--run-id',
        runId,
        '--json',
        ...args,
      ])
      const child = spawn(program, rest, {
        cwd: root,
        env: { ...env, ...more },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      runIds.push(runId)
      children.push(child)
      const [out, err]: [string[], string[]] = [[], []]
      child.stdout.on('data', (data: Buffer) => out.push(data.toString()))
      child.stderr.on('data', (data: Buffer) => err.push(data.toString()))
      const closed = new Promise<number | null>((resolve) => {
        child.once('close', resolve)
      })
      const dir = join(repo, 'artifacts', 'ship', runId)
      const end = async (): Promise<Shipped> => {
        const exitCode = await closed
        const [stdout, stderr] = [out.join(''), err.join('')]
        if (!existsSync(join(dir, 'ship_result.json')))
          throw new Error(`the ship left no document; exit ${exitCode}\n${stdout}\n${stderr}`)
        return {
          exitCode,
          dir,
          stdout,
          stderr,
          result: shipResult.parse(JSON.parse(readFileSync(join(dir, 'ship_result.json'), 'utf8'))),
        }
      }
      return { child, runId, dir, end }
    },
    ship: (more, args) => self.start(more, args).end(),
    leftovers: (runId) => [
      ...readdirSync(temp).filter((name) => name.startsWith('openclaw-')),
      ...run(repo, 'worktree', 'list', '--porcelain')
        .split('\n')
        .filter((line) => line.startsWith('worktree ') && line !== `worktree ${repo}`),
      ...members({ marker: `OPENCLAW_RUN_ID=${runId}` }).map((pid) => `process ${pid}`),
    ],
    remove: async () => {
      for (const runId of runIds) await endTree({ marker: `OPENCLAW_RUN_ID=${runId}` })
      for (const child of children)
        if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      rmSync(root, { recursive: true, force: true, maxRetries: 5 })
    },
  }
  self.settings({})
  self.config()
  self.commit('First', {
    'app.mjs': 'export const add = (a, b) => a + b\n',
    'app.test.mjs': passing,
    'docs/OPENCLAW_NEXT.md': '# Next action\n\n- Ship the sample.\n',
    '.gitignore': 'report.xml\n',
  })
  run(repo, 'push', '--quiet', '--set-upstream', 'origin', 'main')
  return self
}

/** Polls until `probe` gives something. @throws {Error} after two minutes */
export async function until<T>(
  what: string,
  probe: () => T | null | undefined | false,
): Promise<T> {
  for (const end = Date.now() + 120_000; Date.now() < end; await delay(25)) {
    const found = probe()
    if (found) return found
  }
  throw new Error(`waited two minutes in vain for ${what}`)
}
