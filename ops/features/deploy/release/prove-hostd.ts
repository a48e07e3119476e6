// Proves that the hostd of a release works, before it replaces the one that runs.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { adminTokenHeader } from '#shared/api'
import { Problem } from '#shared/errors'
import { writeWhole } from '#ops/base/files/json-file'
import { probeHealth, waitUntilOk } from '#ops/base/http/health'
import { httpRequest } from '#ops/base/http/request'
import { hostPathsEnv, type HostPaths } from '#ops/base/paths/paths'
import { baseEnv } from '#ops/base/process/command'
import { freePort } from '#ops/base/process/free-port'
import { endTree } from '#ops/base/process/process-tree'
import { programArgv } from '#ops/base/process/program'
import { giveTreeTo } from '#ops/base/process/run-as'
import { hostdUser, type Account } from '#ops/platform/accounts/account'
import { findAccount } from '#ops/platform/accounts/accounts'
import type { StepContext } from '#ops/core/pipeline/pipeline'
import { releaseVersion } from '#ops/core/host-state/releases'
import type { DeployHost } from '#ops/features/deploy/state/facts'

/** Limit for the trial to answer, in seconds. */
const trialSeconds = 60
const untouched = 'The running hostd is untouched.'

/**
 * Starts the release's hostd beside the running one, with its own folders and token and as the account that hostd has
 * on this host. It must name its release, accept the token, and refuse a request without it.
 * @throws {Problem} `hostd_install_failed`
 */
export async function proveHostd(
  { paths, settings }: DeployHost,
  release: string,
  { log, signal }: StepContext,
): Promise<void> {
  const account = settings.launcher === 'systemd' ? await findAccount(hostdUser) : null
  if (settings.launcher === 'systemd' && account === null)
    throw new Problem(
      'hostd_install_failed',
      `The account ${hostdUser} does not exist. ${untouched}`,
    )
  const trial = await startTrial({ paths, release, account })
  try {
    const why = await whyRefused(trial, release, signal)
    if (why !== null)
      throw new Problem(
        'hostd_install_failed',
        `The hostd of the new release ${why}. ${untouched}`,
        { evidence: trial.output.join('').trimEnd().split('\n').slice(-20) },
      )
    log(`the hostd of ${release} reports version ${releaseVersion(release)} on port ${trial.port}`)
  } finally {
    await trial.end()
  }
}

interface Trial {
  readonly port: number
  readonly token: string
  /** The newest pieces of what it wrote. */
  readonly output: readonly string[]
  readonly alive: () => boolean
  /** Ends it and removes its folders. */
  readonly end: () => Promise<void>
}

interface TrialHost {
  readonly paths: HostPaths
  readonly release: string
  /** Account it runs as; null: this one. */
  readonly account: Account | null
}

async function startTrial({ paths, release, account }: TrialHost): Promise<Trial> {
  const folder = mkdtempSync(join(tmpdir(), 'openclaw-hostd-'))
  const token = randomBytes(32).toString('hex')
  const trialPaths = makeFolders(paths, folder, token)
  if (account !== null) giveTreeTo(folder, { ...account, home: folder })
  const port = await freePort()
  const instance = randomBytes(8).toString('hex')
  const [program, ...args] = programArgv('hostd', [], release)
  const child = spawn(program, args, {
    cwd: release,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...account,
    env: baseEnv({
      ...hostPathsEnv(trialPaths),
      HOME: folder,
      OPENCLAW_HQ_INSTALL: release,
      OPENCLAW_HOSTD_PORT: String(port),
      OPENCLAW_COMMAND: instance,
    }),
  })
  let alive = true
  const gone = (): void => {
    alive = false
  }
  child.once('exit', gone)
  child.once('error', gone)
  const output: string[] = []
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output.push(chunk.toString('utf8'))
      if (output.length > 50) output.shift()
    })
  return {
    port,
    token,
    output,
    alive: () => alive,
    end: async () => {
      await endTree({
        marker: `OPENCLAW_COMMAND=${instance}`,
        ...(child.pid === undefined || !alive ? {} : { pgid: child.pid }),
      })
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function makeFolders(paths: HostPaths, folder: string, token: string): HostPaths {
  const trial = {
    ...paths,
    root: join(folder, 'root'),
    etc: join(folder, 'etc'),
    state: join(folder, 'state'),
    artifacts: join(folder, 'artifacts'),
  }
  for (const path of [trial.root, trial.etc, trial.state, trial.artifacts]) mkdirSync(path)
  writeWhole(join(trial.etc, 'secrets', 'openclaw_admin_token'), `${token}\n`, { mode: 0o600 })
  return trial
}

async function whyRefused(
  { port, token, alive }: Trial,
  release: string,
  signal: AbortSignal,
): Promise<string | null> {
  const url = `http://127.0.0.1:${port}`
  const expected = { commitField: 'version', commit: releaseVersion(release) }
  // The version is checked once it is healthy: it does not change after that.
  const why =
    (await waitUntilOk(`${url}/health`, {}, { seconds: trialSeconds, signal, alive })) ??
    (await probeHealth(`${url}/health`, expected, { signal }))
  if (why !== null) return `is not healthy: ${why}`
  const status = async (headers: Record<string, string>): Promise<number> =>
    (await httpRequest(`${url}/api/status`, { headers, signal })).status
  const [known, stranger] = [await status({ [adminTokenHeader]: token }), await status({})]
  return known === 200 && stranger === 403
    ? null
    : `answers ${known} with the token and ${stranger} without it`
}
