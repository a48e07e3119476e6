import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, realpathSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import getPort from 'get-port'
import { z } from 'zod'
import { healthReply, statusReply } from '#shared/api'
import { Problem, toProblem } from '#shared/errors'
import { readAdminToken } from '#ops/admin-token'
import { baseEnv } from '#ops/command'
import { askFor } from '#ops/doctor/questions'
import { exportCommit } from '#ops/engines/export-commit'
import { readRecords } from '#ops/engines/service-record'
import { waitUntilOk } from '#ops/engines/health'
import { writeJson, writeWhole } from '#ops/json-file'
import type { StepContext } from '#ops/pipeline'
import { hostPathsEnv, type HostPaths } from '#ops/paths'
import { endTree } from '#ops/process-tree'
import { installRoot, programArgv } from '#ops/program'
import type { DeployHost } from './facts.ts'
import { hostGit } from './host-git.ts'

/** Releases of HQ that are kept, the current one included. */
const keep = 3
/** Written into a release last: without it the folder is half an installation. */
export const completeMark = '.openclaw-release.json'

/** Is this repository HQ itself? Then a deploy brings a new hostd. */
export function isHqItself(root: string): boolean {
  try {
    const { name } = z.looseObject({ name: z.string() }).parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')))
    return name === 'openclaw-hq' && existsSync(join(root, 'ops', 'hq.mjs'))
  } catch {
    return false // no package.json, or none that npm could read: certainly not HQ
  }
}

/** The link `current` is what deploys are started from; absent while HQ runs from where it was installed by hand. */
export const currentRelease = ({ releases }: HostPaths): string => join(releases, 'current')

/** @throws {Problem} `hostd_unhealthy` unless the running hostd is well and lets in whoever has the token */
export async function requireHostd({ hostdUrl, paths }: DeployHost, signal: AbortSignal): Promise<string> {
  try {
    const health = await askFor(hostdUrl, '/health', healthReply, { signal })
    await askFor(hostdUrl, '/api/status', statusReply, { token: readAdminToken(paths.tokenFile), signal })
    return health.version
  } catch (error) {
    signal.throwIfAborted()
    const cause = toProblem(error)
    throw new Problem('hostd_unhealthy', `The installed hostd is not well: ${cause.message} Nothing was changed.`, { cause })
  }
}

/**
 * Installs HQ's own commit as a release: a folder of its own, never under a running process; proven by a hostd started
 * from it on a spare port; only then the link `current` is switched.
 * @returns the release folder
 * @throws {Problem} `hostd_install_failed`; `current` is as it was
 */
export async function installRelease(host: DeployHost, sha: string, context: StepContext): Promise<string> {
  const { paths } = host
  const folder = join(paths.releases, sha)
  if (existsSync(join(folder, completeMark))) {
    context.log(`release ${sha} is installed already`)
  } else {
    rmSync(folder, { recursive: true, force: true }) // half an installation: no process runs from it, `current` never named it
    await exportCommit(paths.root, sha, folder, await hostGit(paths.root, context.signal))
    const installed = await context.run(['npm', 'ci', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder, env: baseEnv() })
    if (installed.exitCode !== 0) throw new Problem('hostd_install_failed', `npm ci ended with ${installed.exitCode ?? installed.signal ?? 'no exit code'}. The hostd that runs is untouched.`)
  }
  await proveHostd(host, folder, context)
  writeJson(join(folder, completeMark), { schema_version: 1, sha, installed_at: new Date().toISOString() })
  switchCurrent(paths, folder)
  pruneReleases(paths)
  return folder
}

/** Starts the release's hostd beside the running one, with folders and a token of its own, and requires its health. */
async function proveHostd({ paths }: DeployHost, folder: string, { log, signal }: StepContext): Promise<void> {
  const temporary = mkdtempSync(join(tmpdir(), 'openclaw-hostd-'))
  const trial = { ...paths, root: join(temporary, 'root'), etc: join(temporary, 'etc'), state: join(temporary, 'state'), artifacts: join(temporary, 'artifacts') }
  for (const path of [trial.root, trial.etc, trial.state, trial.artifacts]) mkdirSync(path, { recursive: true })
  writeWhole(join(trial.etc, 'secrets', 'openclaw_admin_token'), `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 })
  const port = await getPort({ host: '127.0.0.1' })
  const [program, ...args] = programArgv('hostd', [], folder)
  const instance = randomBytes(8).toString('hex')
  const output: string[] = []
  const child = spawn(program, args, {
    cwd: folder, detached: true, stdio: ['ignore', 'pipe', 'pipe'],
    env: baseEnv({ ...hostPathsEnv(trial), OPENCLAW_HQ_INSTALL: folder, OPENCLAW_HOSTD_PORT: String(port), OPENCLAW_COMMAND: instance }),
  })
  let alive = true
  const gone = (): void => { alive = false }
  child.once('exit', gone)
  child.once('error', gone)
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => { output.push(chunk.toString('utf8')); if (output.length > 50) output.shift() })
  try {
    const why = await waitUntilOk(`http://127.0.0.1:${port}/health`, {}, { seconds: 30, signal, alive: () => alive })
    if (why !== null) throw new Problem('hostd_install_failed', `The hostd of the new release does not answer: ${why}. The hostd that runs is untouched.`, { evidence: output.join('').trimEnd().split('\n').slice(-20) })
    log(`the hostd of ${folder} answered on port ${port}`)
  } finally {
    await endTree({ marker: `OPENCLAW_COMMAND=${instance}`, ...(child.pid === undefined || !alive ? {} : { pgid: child.pid }) })
    rmSync(temporary, { recursive: true, force: true })
  }
}

/** One rename: a reader sees the old release or the new one, never none. */
export function switchCurrent(paths: HostPaths, folder: string): void {
  const link = currentRelease(paths)
  if (existsSync(link) && realpathSync(link) === realpathSync(folder)) return
  const next = `${link}.${process.pid}`
  rmSync(next, { force: true })
  symlinkSync(folder, next)
  renameSync(next, link)
}

export function pruneReleases(paths: HostPaths): void {
  const used = new Set([realpathSync(currentRelease(paths)), realpathSync(installRoot()), ...readRecords(paths).map(({ env }) => env['OPENCLAW_HQ_INSTALL'] ?? '')])
  const all = readdirSync(paths.releases).filter((name) => /^[0-9a-f]{40}$/.test(name)).map((name) => join(paths.releases, name))
  const idle = all.filter((folder) => !used.has(realpathSync(folder)) && !hasProcess(folder)).toSorted((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)
  for (const folder of idle.slice(Math.max(0, keep - 1))) rmSync(folder, { recursive: true, force: true })
}

/** Does a process run from this folder? A daemon keeps its version until it is started again. */
function hasProcess(folder: string): boolean {
  if (!lstatSync('/proc', { throwIfNoEntry: false })?.isDirectory()) return true // cannot be seen: keep it
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).some((name) => {
    try {
      return readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0').some((part) => part.startsWith(`${folder}/`)) || readlinkSync(`/proc/${name}/cwd`).startsWith(folder)
    } catch {
      return false // ended, or another user's
    }
  })
}

