import { readlinkSync } from 'node:fs'
import { basename } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { adminTokenHeader } from '#shared/api'
import { Problem, toProblem } from '#shared/errors'
import { readAdminToken } from '#ops/core/config/admin-token'
import { ask, lookAt } from '#ops/base/http/health'
import { ask as askHost } from '#ops/base/process/host-program'
import { hostdUnit } from '#ops/host/install/units/all'
import { upgradeUnit } from '#ops/host/install/units/upgrade'
import type { StepContext } from '#ops/core/pipeline/pipeline'
import {
  currentFolder,
  dropRelease,
  releaseVersion,
  switchCurrent,
} from '#ops/core/host-state/releases'
import type { DeployHost } from './facts.ts'

/** Limit for the restarted hostd to be the one of the release, in seconds. */
const takeUpSeconds = 60
/** It must then go on this long without being started again, milliseconds. */
const steadyMs = 3000

const mainPid = async (): Promise<number> =>
  Number(
    (
      await askHost(['systemctl', 'show', '--value', '--property=MainPID', hostdUnit])
    ).stdout.trim(),
  )

/** Folder that the process was started in: systemd resolves `current` once, when it starts hostd. */
function folderOf(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return null // it has ended meanwhile
  }
}

/** One look from outside. What hostd says of itself is compared with the process that systemd started. @returns why it is not the release's hostd, well and running */
async function whyNotServing(
  { hostdUrl, paths }: DeployHost,
  folder: string,
  pid: number,
): Promise<string | null> {
  if (!Number.isInteger(pid) || pid <= 0) return `${hostdUnit} has no process`
  const runsFrom = folderOf(pid)
  if (runsFrom !== folder)
    return `process ${pid} of ${hostdUnit} runs from ${runsFrom ?? 'nowhere: it has ended'}`
  const why = await lookAt(`${hostdUrl}/health`, {
    commitField: 'version',
    commit: releaseVersion(folder),
  })
  if (why !== null) return why
  const status = async (headers: Record<string, string>): Promise<number> =>
    (await ask(`${hostdUrl}/api/status`, { headers })).status
  const [known, stranger] = [
    await status({ [adminTokenHeader]: readAdminToken(paths.tokenFile) }),
    await status({}),
  ]
  return known === 200 && stranger === 403
    ? null
    : `it answers ${known} to who has the token and ${stranger} to who has not`
}

/** @throws {Problem} `hostd_unhealthy` unless hostd runs from `folder`, names it, is well, and stays the same process */
async function requireServing(host: DeployHost, folder: string): Promise<void> {
  let why: string | null = null
  for (const end = Date.now() + takeUpSeconds * 1000; Date.now() < end; await delay(200)) {
    const pid = await mainPid()
    why = await whyNotServing(host, folder, pid).catch((error: unknown) => toProblem(error).message)
    if (why !== null) continue
    await delay(steadyMs)
    const later = await mainPid()
    if (
      later === pid &&
      (await whyNotServing(host, folder, later).catch(
        (error: unknown) => toProblem(error).message,
      )) === null
    )
      return
    why = `process ${pid} did not stay`
  }
  throw new Problem(
    'hostd_unhealthy',
    `hostd was not the one of ${basename(folder)} within ${takeUpSeconds} s: ${why ?? 'it was not asked'}.`,
  )
}

/** @throws {Problem} `hostd_install_failed` with what the unit said */
async function takeUp(folder: string): Promise<void> {
  const unit = upgradeUnit(basename(folder))
  const since = Math.floor(Date.now() / 1000)
  const { exitCode, stderr } = await askHost(['systemctl', 'start', unit])
  if (exitCode === 0) return
  const { stdout } = await askHost([
    'journalctl',
    `--unit=${unit}`,
    `--since=@${since}`,
    '--lines=40',
    '--output=cat',
    '--no-pager',
  ]).catch((error: unknown) => ({ stdout: toProblem(error).message }))
  throw new Problem(
    'hostd_install_failed',
    `${unit} did not take up the release: ${stderr.trim().split('\n')[0] ?? 'no reason given'}`,
    { evidence: stdout.trim().split('\n') },
  )
}

/**
 * Makes a release the one that runs: a unit of its own brings units, `current` and hostd to it and looks after it even
 * when this run is ended meanwhile; then it is judged from here, by the code that ran before.
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
      `${paths.releases} has no current release, so this host was not installed. \`hq install hostd\` makes it a host. Nothing was changed.`,
    )
  try {
    await takeUp(folder)
    await requireServing(host, folder)
  } catch (error) {
    const failure = toProblem(error)
    signal.throwIfAborted() // the unit goes on to its own end: the new release when it is well, else the old one
    if (before === folder) throw failure
    log(`${failure.errorClass}: ${failure.message}`)
    const back = await goBack(host, before)
    // A release that was refused must not push a good one out of the few that are kept.
    if (dropRelease(paths, folder)) log(`removed ${folder}`)
    throw new Problem(failure.errorClass, `${failure.message} ${back}`, {
      cause: failure,
      evidence: failure.evidence,
    })
  }
  const version = releaseVersion(folder)
  return before === folder
    ? `hostd ${version} runs already, and lets the token in`
    : `hostd was restarted in the middle of this deploy: ${version} answers, and lets the token in`
}

/** The old release, by its own program; when that cannot be done, at least its code. @returns what serves now */
async function goBack(host: DeployHost, before: string): Promise<string> {
  const old = `release ${basename(before)}`
  try {
    await takeUp(before)
    await requireServing(host, before)
    return `${old} runs again.`
  } catch (error) {
    const why = toProblem(error).message
    switchCurrent(host.paths, before)
    await askHost(['systemctl', 'restart', hostdUnit])
    try {
      await requireServing(host, before)
      return `${old} runs again; its units could not be put back: ${why}`
    } catch (second) {
      return `${old} is current again, and its hostd does not answer: ${toProblem(second).message}`
    }
  }
}
