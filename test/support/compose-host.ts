import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { runCommand } from '#ops/base/process/command'
import { composeEngine } from '#ops/host/engines/registry'
import { readHostSettings } from '#ops/core/config/settings-files'
import type { EngineHost, Target, UpReport } from '#ops/host/engines/common/engine'
import type { StepContext } from '#ops/core/pipeline/pipeline'
import { projectConfig, type ProjectConfig } from '#shared/config'
import { writeFiles, type TestDocker } from './docker.ts'
import { getUnpooled } from './get-unpooled.ts'
import { startHostd, testHost, until, type TestHost, type TestHostd } from './hostd.ts'
import { freePort } from './ports.ts'

const repository = process.cwd()

/** An installation of HQ that is this repository, with a page of its own. */
export function installWithPage(dir: string, text = 'HQ loaded'): string {
  const root = join(dir, 'install')
  mkdirSync(join(root, 'out', 'renderer', 'assets'), { recursive: true })
  for (const name of ['hostd', 'node_modules', 'package.json'])
    symlinkSync(join(repository, name), join(root, name))
  for (const name of ['ops', 'shared'])
    cpSync(join(repository, name), join(root, name), { recursive: true })
  writeFileSync(
    join(root, 'out', 'renderer', 'index.html'),
    `<!doctype html><title>${text}</title>`,
  )
  return root
}

export interface ComposeHost {
  readonly host: TestHost
  readonly hostd: TestHostd
  /** The host as an engine gets it; its settings are read at the call. */
  engineHost(): EngineHost
  readonly ports: { readonly web: number; readonly console: number }
  readonly install: string
  /** Commits this tree in the host's clone. @returns the commit */
  commit(files: Record<string, string>): string
  /** Builds and brings up a commit, as the steps of a deploy do. */
  deploy(sha: string, config?: Partial<ProjectConfig>): Promise<{ up: UpReport; log: string[] }>
  readonly log: string[]
  web(): Promise<{ ok: boolean; message: string; commit: string } | null>
  remove(): Promise<void>
}

/** A host whose services are containers of `docker`, with a hostd that also serves a socket. */
export async function composeHost({ at, baseImage }: TestDocker): Promise<ComposeHost> {
  const ports = { web: await freePort(), console: await freePort() }
  const made = testHost()
  mkdirSync(dirname(made.paths.publicSocket), { recursive: true })
  const install = installWithPage(made.dir)
  const host: TestHost = { ...made, env: { ...made.env, OPENCLAW_HQ_INSTALL: install } }
  writeFileSync(
    host.paths.hostSettings,
    JSON.stringify({
      name: 'test-host',
      docker_socket: at.socket,
      base_image: baseImage,
      console_port: ports.console,
      service_ports: { web: ports.web },
    }),
  )
  const hostd = await startHostd(host, { env: { OPENCLAW_HOSTD_SOCKET: host.paths.publicSocket } })
  const git = (...args: string[]): string =>
    execFileSync('git', ['-c', 'user.name=Test', '-c', 'user.email=test@localhost', ...args], {
      cwd: host.paths.root,
      encoding: 'utf8',
      env: { PATH: host.env['PATH'], HOME: host.dir },
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim()
  git('init', '--quiet', '--initial-branch=main')
  writeFileSync(join(host.paths.root, '.git', 'info', 'exclude'), 'artifacts\n')
  const engineHost = (): EngineHost => {
    const settings = readHostSettings(host.paths)
    return { paths: host.paths, settings: { ...settings, service_ports: { web: ports.web } } }
  }
  const log: string[] = []
  const say: StepContext['log'] = (text) => {
    log.push(text)
  }
  const signal = new AbortController().signal
  const context: StepContext = {
    signal,
    dir: host.dir,
    log: say,
    run: (argv, { timeLimitSeconds = 60, ...rest }) =>
      runCommand(argv, { ...rest, signal, timeLimitSeconds }),
  }
  const base = {
    schema_version: 1,
    project: 'shop',
    engine: 'compose',
    tests: [{ name: 'unit', argv: ['true'], report: { format: 'junit', path: 'r.xml' } }],
    services: [
      {
        name: 'web',
        port: 3000,
        health: { path: '/', commit_field: 'commit', timeout_seconds: 120 },
      },
    ],
  }
  return {
    host,
    hostd,
    engineHost,
    ports,
    install,
    log,
    commit: (files) => {
      for (const name of git('ls-files')
        .split('\n')
        .filter((each) => each !== ''))
        rmSync(join(host.paths.root, name), { force: true })
      writeFiles(host.paths.root, files)
      git('add', '--all')
      git('commit', '--quiet', '--allow-empty', '-m', 'version')
      return git('rev-parse', 'HEAD')
    },
    deploy: async (sha, more = {}) => {
      log.length = 0
      const config = projectConfig.parse({ ...base, ...more })
      const target: Target = {
        ...engineHost(),
        config,
        sha,
        console: {
          name: 'openclaw-console',
          kind: 'console',
          argv: ['node'],
          release: install,
          sha: null,
          digest: '0'.repeat(64),
          port: ports.console,
          env: {},
          health: { path: '/health', commit_field: null, timeout_seconds: 30 },
        },
      }
      const up = await composeEngine.up(
        target,
        await composeEngine.build({ ...engineHost(), config, sha }, context),
        { log: say, signal },
      )
      return { up, log: [...log] }
    },
    web: async () => {
      try {
        return JSON.parse(await getUnpooled(ports.web, '/')) as {
          ok: boolean
          message: string
          commit: string
        }
      } catch {
        return null // nothing listens
      }
    },
    remove: async () => {
      await hostd.stop()
      await host.remove()
    },
  }
}

/** Fewest questions of one measurement. */
const fewest = 25

/** Sends 50 requests a second until stopped. @returns how many requests were sent and how many failed */
export function traffic(url: string): { stop(): Promise<{ sent: number; failed: number }> } {
  const sent: Promise<boolean>[] = []
  const one = async (): Promise<boolean> => {
    try {
      return (await fetch(url, { signal: AbortSignal.timeout(30_000) })).status === 200
    } catch {
      return false // counted
    }
  }
  const timer = setInterval(() => {
    sent.push(one())
  }, 20)
  return {
    stop: async () => {
      // A refusal can be quicker than a few requests: what still serves gets at least this many requests.
      await until('enough requests', () => sent.length >= fewest)
      clearInterval(timer)
      const answers = await Promise.all(sent)
      return { sent: answers.length, failed: answers.filter((good) => !good).length }
    },
  }
}
