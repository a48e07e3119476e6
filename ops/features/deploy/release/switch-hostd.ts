// Replaces the hostd that runs by the one of a release, and goes back when that one is not healthy.
import { readlinkSync } from 'node:fs'
import { basename } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { adminTokenHeader } from '#shared/api'
import { Problem, toProblem } from '#shared/errors'
import { probeHealth } from '#ops/base/http/health'
import { httpRequest } from '#ops/base/http/request'
import { runHostProgram } from '#ops/base/process/host-program'
import { readAdminToken } from '#ops/core/config/admin-token'
import {
  currentFolder,
  dropRelease,
  releaseVersion,
  switchCurrent,
} from '#ops/core/host-state/releases'
import type { StepContext } from '#ops/core/pipeline/pipeline'
import { hostdUnit } from '#ops/host/install/units/all'
import { upgradeUnit } from '#ops/host/install/units/upgrade'
import type { DeployHost } from '#ops/features/deploy/state/facts'
import { journalOf } from '#ops/host/install/journal'

/** Limit for the restarted hostd to be the one of the release, in seconds. */
const switchSeconds = 60
/** It must then keep running this long without a restart, milliseconds. */
const steadyMs = 3000

/**
 * Makes a release the one that runs. A separate unit brings units, `current` and hostd to it, and completes that even
 * when this run is ended meanwhile. Then hostd is judged from here, by the code that ran before.
 * @returns one sentence
 * @throws {Problem} `hostd_unhealthy`, `hostd_install_failed`: what ran before runs again, and the message says so
 */
export async function switchHostd(
  host: DeployHost,
  folder: string,
  { log, signal }: StepContext,
): Promise<string> {
  const { paths } = host
  const before = currentFolder(paths)
  if (before === null)
    throw new Problem(
      'hostd_install_failed',
      `${paths.releases} has no current release, so hostd was never installed on this host. ` +
        'Run `hq install hostd` first. Nothing was changed.',
    )
  try {
    await startUpgrade(folder)
    await requireServing(host, folder)
  } catch (error) {
    const failure = toProblem(error)
    signal.throwIfAborted() // the unit goes on to its own end: the new release when it is healthy, else the old one
    if (before === folder) throw failure
    log(`${failure.errorClass}: ${failure.message}`)
    const back = await goBack(host, before)
    // A release that was refused must not replace a good one among the few that are kept.
    if (dropRelease(paths, folder)) log(`removed ${folder}`)
    throw new Problem(failure.errorClass, `${failure.message} ${back}`, {
      cause: failure,
      evidence: failure.evidence,
    })
  }
  const version = releaseVersion(folder)
  return before === folder
    ? `hostd ${version} runs already, and accepts the token`
    : `hostd was restarted in the middle of this deploy: ${version} answers, and accepts the token`
}

/** Starts the unit that installs the release. @throws {Problem} `hostd_install_failed` with what the unit wrote */
async function startUpgrade(folder: string): Promise<void> {
  const unit = upgradeUnit(basename(folder))
  const since = Math.floor(Date.now() / 1000)
  const { exitCode, stderr } = await runHostProgram(['systemctl', 'start', unit])
  if (exitCode === 0) return
  throw new Problem(
    'hostd_install_failed',
    `${unit} did not start the release: ${stderr.trim().split('\n')[0] ?? 'no reason given'}`,
    { evidence: await journalOf(unit, since) },
  )
}

/**
 * @throws {Problem} `hostd_unhealthy` unless hostd runs from `folder`, names it, is healthy, and stays the same
 *   process
 */
async function requireServing(host: DeployHost, folder: string): Promise<void> {
  const probe = (pid: number): Promise<string | null> =>
    whyNotServing(host, folder, pid).catch((error: unknown) => toProblem(error).message)
  let why: string | null = null
  for (const end = Date.now() + switchSeconds * 1000; Date.now() < end; await delay(200)) {
    const pid = await mainPid()
    why = await probe(pid)
    if (why !== null) continue
    await delay(steadyMs)
    const later = await mainPid()
    if (later === pid && (await probe(later)) === null) return
    why = `process ${pid} did not stay`
  }
  throw new Problem(
    'hostd_unhealthy',
    `The hostd of ${basename(folder)} did not run within ${switchSeconds} s: ${why ?? 'it was not probed'}.`,
  )
}

const mainPid = async (): Promise<number> => {
  const argv = ['systemctl', 'show', '--value', '--property=MainPID', hostdUnit] as const
  return Number((await runHostProgram([...argv])).stdout.trim())
}

/** Folder that the process was started in: systemd resolves `current` once, when it starts hostd. */
function folderOf(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return null // it has ended meanwhile
  }
}

/**
 * Probes hostd once. What it says of itself is compared with the process that systemd started.
 * @returns why it is not the release's hostd, healthy and running; null when it is
 */
async function whyNotServing(
  { hostdUrl, paths }: DeployHost,
  folder: string,
  pid: number,
): Promise<string | null> {
  if (!Number.isInteger(pid) || pid <= 0) return `${hostdUnit} has no process`
  const runsFrom = folderOf(pid)
  if (runsFrom !== folder)
    return `process ${pid} of ${hostdUnit} runs from ${runsFrom ?? 'nowhere: it has ended'}`
  const expected = { commitField: 'version', commit: releaseVersion(folder) }
  const why = await probeHealth(`${hostdUrl}/health`, expected)
  if (why !== null) return why
  const status = async (headers: Record<string, string>): Promise<number> =>
    (await httpRequest(`${hostdUrl}/api/status`, { headers })).status
  const known = await status({ [adminTokenHeader]: readAdminToken(paths.tokenFile) })
  const stranger = await status({})
  return known === 200 && stranger === 403
    ? null
    : `it answers ${known} with the token and ${stranger} without it`
}

/** Brings the old release back by its own program, or else at least its code. @returns what serves now */
async function goBack(host: DeployHost, before: string): Promise<string> {
  const old = `release ${basename(before)}`
  try {
    await startUpgrade(before)
    await requireServing(host, before)
    return `${old} runs again.`
  } catch (error) {
    const why = toProblem(error).message
    switchCurrent(host.paths, before)
    await runHostProgram(['systemctl', 'restart', hostdUnit])
    try {
      await requireServing(host, before)
      return `${old} runs again; its units could not be put back: ${why}`
    } catch (second) {
      return `${old} is current again, and its hostd does not answer: ${toProblem(second).message}`
    }
  }
}
