import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { dirname, join } from 'node:path'
import {
  deployResult,
  dodResult,
  triage,
  type DeployResult,
  type DodResult,
  type Triage,
} from '#shared/result'
import type { TrustFile } from '#shared/config'
import { newRunId } from '#shared/ids'
import { reviewRef, type Verdict } from '#shared/verdict'
import type { RunDetail } from '#shared/api'
import type { RunEvent } from '#shared/events'
import { stopServices } from '#ops/host/engines/process/resume'
import { withNeutralGit } from '#ops/platform/git/neutral-diff'
import { endTree } from '#ops/base/process/process-tree'
import { freePort } from './ports.ts'
import { getUnpooled } from './get-unpooled.ts'
import { startHostd, testHost, until, type TestHost, type TestHostd } from './hostd.ts'
import { sampleApp, type SampleVersion } from './sample-app.ts'

const repository = process.cwd()
const provider = { id: 'test', base_url: 'http://127.0.0.1:9/v1' }

export interface Deployed {
  readonly run: RunDetail
  readonly result: DeployResult
  readonly dir: string
  readonly triage: Triage | null
  readonly dod: DodResult | null
  readonly events: readonly RunEvent[]
}

export interface ShipOptions {
  /** False: what is pushed beside the commit, if anything, is no base for the next verdict. */
  readonly reviewed?: boolean
  readonly files?: Record<string, string>
  /** What is pushed in place of the unsigned verdict. */
  readonly verdict?: (verdict: Verdict) => object
}

/** A production host in small: a bare origin behind a read-only git daemon, the host's clone, hostd, a sample app. */
export interface DeployHost {
  readonly host: TestHost
  readonly hostd: TestHostd
  readonly ports: { readonly app: number; readonly console: number; readonly git: number }
  /** Bare repository that the host fetches from. */
  readonly origin: string
  git(repo: string, ...args: string[]): string
  /** Commits a version on the laptop and pushes it with the verdict of a review, or without one. @returns the commit */
  ship(version: SampleVersion, options?: ShipOptions): Promise<string>
  /** Changes the trust file. */
  trust(change: Partial<TrustFile>): void
  settings(change: Record<string, unknown>): void
  /** Deploy+Verify, or a rollback, through hostd, to its end. */
  deploy(options?: {
    action?: 'deploy_and_verify' | 'rollback'
    params?: Record<string, unknown>
    onEvents?: (events: readonly RunEvent[]) => void
  }): Promise<Deployed>
  /** What the sample app answers; null when nothing answers. */
  message(): Promise<{ commit: string; message: string } | null>
  readonly maintenance: () => Record<string, unknown> | null
  stopGit(): Promise<void>
  startGit(options?: { receivePack?: boolean }): Promise<void>
  remove(): Promise<void>
}

/** An installation of HQ that is this repository, with a page of its own: the real one need not be built. */
function install(dir: string): string {
  const root = join(dir, 'install')
  mkdirSync(join(root, 'out', 'renderer', 'assets'), { recursive: true })
  for (const name of ['ops', 'shared', 'hostd', 'node_modules', 'package.json'])
    symlinkSync(join(repository, name), join(root, name))
  writeFileSync(
    join(root, 'out', 'renderer', 'index.html'),
    '<!doctype html><title>HQ</title><script type="module" src="/assets/index.js"></script>',
  )
  writeFileSync(join(root, 'out', 'renderer', 'assets', 'index.js'), 'document.title = "HQ loaded"')
  return root
}

const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port }, () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })

/**
 * @param socket hostd serves a unix socket too, as containers need it
 * @param prepare is given the empty host before anything is made in it
 */
export async function deployHost(
  first: SampleVersion = { message: 'one' },
  {
    socket = false,
    prepare = () => undefined,
  }: { socket?: boolean; prepare?: (host: TestHost) => void } = {},
): Promise<DeployHost> {
  const made = testHost()
  prepare(made)
  const host: TestHost = { ...made, env: { ...made.env, OPENCLAW_HQ_INSTALL: install(made.dir) } }
  const ports = { app: await freePort(), console: await freePort(), git: await freePort() }
  const base = join(host.dir, 'git')
  const [origin, laptop] = [join(base, 'sample.git'), join(host.dir, 'laptop')]
  const git = (cwd: string, ...args: string[]): string =>
    execFileSync('git', ['-c', 'user.name=Test', '-c', 'user.email=test@localhost', ...args], {
      cwd,
      encoding: 'utf8',
      env: { PATH: host.env['PATH'], HOME: host.dir },
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trimEnd()
  const settings = (change: Record<string, unknown>): void => {
    const now = JSON.parse(readFileSync(host.paths.hostSettings, 'utf8')) as Record<string, unknown>
    writeFileSync(host.paths.hostSettings, JSON.stringify({ ...now, ...change }))
  }
  settings({
    console_port: ports.console,
    service_ports: { app: ports.app },
    deploy_attempts: 2,
    deploy_backoff_seconds: 0.1,
    disk_warn_percent: 99,
    disk_fail_percent: 100,
  })

  const commit = (version: SampleVersion, files: Record<string, string> = {}): string => {
    for (const [path, text] of Object.entries({ ...sampleApp(version, ports.app), ...files })) {
      mkdirSync(dirname(join(laptop, path)), { recursive: true })
      writeFileSync(join(laptop, path), text)
    }
    git(laptop, 'add', '-A')
    git(laptop, 'commit', '--quiet', '-m', version.message)
    return git(laptop, 'rev-parse', 'HEAD')
  }
  mkdirSync(base)
  git(base, 'init', '--quiet', '--bare', '--initial-branch=main', origin)
  git(base, 'clone', '--quiet', origin, laptop)
  const baseline = commit(first)
  git(laptop, 'push', '--quiet', 'origin', 'HEAD:refs/heads/main')
  writeFileSync(
    host.paths.trustFile,
    JSON.stringify({ schema_version: 1, baseline, review_providers: [provider] }),
  )

  let daemon: number | null = null
  const startGit = async ({
    receivePack = false,
  }: { receivePack?: boolean } = {}): Promise<void> => {
    const child = spawn(
      'git',
      [
        'daemon',
        '--reuseaddr',
        '--export-all',
        '--listen=127.0.0.1',
        `--port=${ports.git}`,
        `--base-path=${base}`,
        ...(receivePack ? ['--enable=receive-pack'] : []),
      ],
      { stdio: 'ignore', detached: true, env: { PATH: host.env['PATH'], HOME: host.dir } },
    )
    daemon = child.pid ?? null
    await until('the git daemon', () => listens(ports.git))
  }
  const stopGit = async (): Promise<void> => {
    if (daemon !== null) await endTree({ pgid: daemon }, 500)
    daemon = null
  }
  await startGit()
  const root = host.paths.root
  git(root, 'init', '--quiet', '--initial-branch=main')
  git(root, 'remote', 'add', 'origin', `git://127.0.0.1:${ports.git}/sample.git`)
  git(root, 'fetch', '--quiet', 'origin')
  git(root, 'reset', '--quiet', '--hard', 'origin/main')
  if (socket) mkdirSync(dirname(host.paths.publicSocket), { recursive: true })
  const hostd = await startHostd(
    host,
    socket ? { env: { OPENCLAW_HOSTD_SOCKET: host.paths.publicSocket } } : {},
  )

  const verdictFor = async (base_sha: string, head_sha: string): Promise<Verdict> => ({
    schema_version: 1,
    verdict_id: head_sha.slice(0, 12),
    run_id: newRunId(),
    verdict: 'APPROVED',
    repository: 'sample',
    base_sha,
    head_sha,
    tree_sha: git(laptop, 'rev-parse', `${head_sha}^{tree}`),
    diff_sha256: await withNeutralGit(laptop, (neutral) => neutral.diffDigest(base_sha, head_sha)),
    prompt_sha256: createHash('sha256').update('').digest('hex'),
    nonce: 'n',
    files: [],
    findings: [],
    summary: '',
    gate_settings_changed: [],
    reviewer: {
      cli: 'codex',
      cli_version: '0',
      model: 'test',
      provider_id: provider.id,
      base_url: provider.base_url,
      scripted: true,
    },
    usage: null,
    created_at: new Date().toISOString(),
  })
  let proven = baseline
  return {
    host,
    hostd,
    ports,
    origin,
    git,
    settings,
    startGit,
    stopGit,
    trust: (change) =>
      writeFileSync(
        host.paths.trustFile,
        JSON.stringify({
          ...(JSON.parse(readFileSync(host.paths.trustFile, 'utf8')) as object),
          ...change,
        }),
      ),
    ship: async (version, { reviewed = true, files = {}, verdict } = {}) => {
      const head = commit(version, files)
      git(laptop, 'push', '--quiet', 'origin', 'HEAD:refs/heads/main')
      if (!reviewed && !verdict) return head
      const blob = execFileSync('git', ['hash-object', '-w', '--stdin'], {
        cwd: origin,
        encoding: 'utf8',
        input: JSON.stringify((verdict ?? ((plain) => plain))(await verdictFor(proven, head))),
        env: { PATH: host.env['PATH'], HOME: host.dir },
      }).trim()
      git(origin, 'update-ref', reviewRef(head), blob)
      if (reviewed) proven = head
      return head
    },
    deploy: async ({ action = 'deploy_and_verify', params = {}, onEvents } = {}) => {
      const events: RunEvent[] = []
      const { run } = await hostd.client.startOrJoin(action, params, {
        onEvents: (batch) => {
          events.push(...batch)
          onEvents?.(batch)
        },
      })
      const dir = join(host.paths.artifacts, 'deploy', run.run_id)
      const read = (name: string): unknown =>
        existsSync(join(dir, name)) ? JSON.parse(readFileSync(join(dir, name), 'utf8')) : null
      return {
        run,
        dir,
        events,
        result: deployResult.parse(run.result),
        triage: triage.nullable().parse(read('triage.json')),
        dod: dodResult.nullable().parse(read('dod_result.json')),
      }
    },
    message: async () => {
      try {
        const [health, message] = await Promise.all(
          ['/api/health', '/api/message'].map(
            async (path) =>
              JSON.parse(await getUnpooled(ports.app, path)) as { commit: string; message: string },
          ),
        )
        return { commit: health?.commit ?? '', message: message?.message ?? '' }
      } catch {
        return null // nothing listens
      }
    },
    maintenance: () =>
      existsSync(host.paths.maintenance)
        ? (JSON.parse(readFileSync(host.paths.maintenance, 'utf8')) as Record<string, unknown>)
        : null,
    remove: async () => {
      await hostd.stop()
      await stopServices(host.paths)
      await stopGit()
      await host.remove()
    },
  }
}
