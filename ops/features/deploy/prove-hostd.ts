import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { adminTokenHeader } from '#shared/api'
import { Problem } from '#shared/errors'
import { baseEnv } from '#ops/base/process/command'
import { ask, lookAt, waitUntilOk } from '#ops/base/http/health'
import { freePort } from '#ops/base/process/free-port'
import { findAccount } from '#ops/platform/accounts/accounts'
import { hostdUser } from '#ops/platform/accounts/account'
import { writeWhole } from '#ops/base/files/json-file'
import { hostPathsEnv } from '#ops/base/paths/paths'
import type { StepContext } from '#ops/core/pipeline/pipeline'
import { endTree } from '#ops/base/process/process-tree'
import { programArgv } from '#ops/base/process/program'
import { releaseVersion } from '#ops/core/host-state/releases'
import { giveTreeTo } from '#ops/base/process/run-as'
import type { DeployHost } from './facts.ts'

/** Limit for the trial to answer, in seconds. */
const trialSeconds = 60
const untouched = 'The hostd that runs is untouched.'

/**
 * Starts the release's hostd beside the running one, with folders and a token of its own and as the account that hostd
 * has on this host. It must name its release, let in who has the token, and nobody else.
 * @throws {Problem} `hostd_install_failed`
 */
export async function proveHostd(
  { paths, settings }: DeployHost,
  folder: string,
  { log, signal }: StepContext,
): Promise<void> {
  const account = settings.launcher === 'systemd' ? await findAccount(hostdUser) : null
  if (settings.launcher === 'systemd' && account === null)
    throw new Problem('hostd_install_failed', `The account ${hostdUser} is not there. ${untouched}`)
  const temporary = mkdtempSync(join(tmpdir(), 'openclaw-hostd-'))
  const trial = {
    ...paths,
    root: join(temporary, 'root'),
    etc: join(temporary, 'etc'),
    state: join(temporary, 'state'),
    artifacts: join(temporary, 'artifacts'),
  }
  for (const path of [trial.root, trial.etc, trial.state, trial.artifacts]) mkdirSync(path)
  const token = randomBytes(32).toString('hex')
  writeWhole(join(trial.etc, 'secrets', 'openclaw_admin_token'), `${token}\n`, { mode: 0o600 })
  if (account !== null) giveTreeTo(temporary, { ...account, home: temporary })
  const port = await freePort()
  const [program, ...args] = programArgv('hostd', [], folder)
  const instance = randomBytes(8).toString('hex')
  const output: string[] = []
  const child = spawn(program, args, {
    cwd: folder,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...account,
    env: baseEnv({
      ...hostPathsEnv(trial),
      HOME: temporary,
      OPENCLAW_HQ_INSTALL: folder,
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
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output.push(chunk.toString('utf8'))
      if (output.length > 50) output.shift()
    })
  const refuse = (why: string): never => {
    throw new Problem('hostd_install_failed', `The hostd of the new release ${why}. ${untouched}`, {
      evidence: output.join('').trimEnd().split('\n').slice(-20),
    })
  }
  try {
    const url = `http://127.0.0.1:${port}`
    const expected = { commitField: 'version', commit: releaseVersion(folder) }
    // Until it is well; what it then calls itself does not change any more.
    const why =
      (await waitUntilOk(
        `${url}/health`,
        {},
        { seconds: trialSeconds, signal, alive: () => alive },
      )) ?? (await lookAt(`${url}/health`, expected, { signal }))
    if (why !== null) refuse(`is not healthy: ${why}`)
    const status = async (headers: Record<string, string>): Promise<number> =>
      (await ask(`${url}/api/status`, { headers, signal })).status
    const [known, stranger] = [await status({ [adminTokenHeader]: token }), await status({})]
    if (known !== 200 || stranger !== 403)
      refuse(`answers ${known} to who has the token and ${stranger} to who has not`)
    log(`the hostd of ${folder} names itself ${expected.commit} on port ${port}`)
  } finally {
    await endTree({
      marker: `OPENCLAW_COMMAND=${instance}`,
      ...(child.pid === undefined || !alive ? {} : { pgid: child.pid }),
    })
    rmSync(temporary, { recursive: true, force: true })
  }
}
