// Replaces the version that runs, service by service, and brings the old one back when that fails.
import { Problem, toProblem } from '#shared/errors'
import { shortCommit } from '#shared/ids'
import { containers, removeContainers, serviceOf } from '#ops/platform/docker/containers'
import type { Docker } from '#ops/platform/docker/engine-api'
import { listExposures } from '#ops/platform/net/exposure'
import { judgeContainers } from '#ops/platform/net/host-docker'
import { watchAvailability } from '#ops/host/engines/common/availability'
import type { Progress } from '#ops/host/engines/common/engine'
import { removeCandidates, tryCandidate, whyNoCandidate } from './candidate.ts'
import type { Prepared } from './prepare.ts'
import type { ComposeRecord } from './record.ts'
import { composeDo, oneShots, render, startSeconds } from './source.ts'
import { lockImages } from './version-images.ts'
import {
  answerUrl,
  requireAnswer,
  serviceContainers,
  waitSeconds,
  waitUntilSettled,
} from './wait-until-settled.ts'

/** How the replacement went. */
export interface Replaced {
  /** Longest time without an answer, milliseconds; null when nothing that answered was replaced. */
  readonly unansweredMs: number | null
}

const up = ['up', '--detach', '--no-build', '--pull', 'never'] as const

/**
 * Tries what can be tried beside the old version, then replaces service by service, those that others need first. On
 * failure the old version is brought back.
 * @throws {Problem} `service_unhealthy`, `docker_compose_failed`, `public_port`; the message says what serves now
 */
export async function replaceVersion(prepared: Prepared, progress: Progress): Promise<Replaced> {
  const { at, source, changed } = prepared
  await removeCandidates(at, source.project)
  for (const name of changed) {
    const why = whyNoCandidate(prepared, name)
    if (why === null) await tryCandidate(prepared, name, progress)
    else progress.log(`${name}: not started beside the old version first: ${why}`)
  }
  try {
    return { unansweredMs: await replaceServices(prepared, progress) }
  } catch (error) {
    throw await bringBack(prepared, toProblem(error), progress)
  }
}

/** @returns longest time without an answer, milliseconds; null when nothing that answered was replaced */
async function replaceServices(prepared: Prepared, progress: Progress): Promise<number | null> {
  const { at, source, locked, changed, gone } = prepared
  const { log, signal } = progress
  const gaps: number[] = []
  for (const name of changed) {
    const gap = await replaceOne(prepared, name, progress)
    if (gap !== null) gaps.push(gap)
  }
  // Compose itself says what else must follow a replaced service, and removes what is no longer named.
  await composeDo({ at, source, text: locked }, [...up, '--remove-orphans'], {
    signal,
    timeLimitSeconds: startSeconds,
  })
  for (const name of Object.keys(prepared.model.services))
    await requireServiceUp(prepared, name, signal)
  if (gone.length > 0) log(`${gone.join(', ')}: no longer in the compose file, removed`)
  await requireClosedContainers(prepared, signal)
  return gaps.length === 0 ? null : Math.max(...gaps)
}

/** Waits until a service is up; one with an address must also answer there. */
async function requireServiceUp(
  { at, source, oneShots: once }: Pick<Prepared, 'at' | 'source' | 'oneShots'>,
  name: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const title = `Service ${name}`
  const service = source.services.find((each) => each.name === name)
  const find = () => serviceContainers(at, { project: source.project, service: name }, signal)
  await waitUntilSettled(at, {
    title,
    find,
    seconds: service?.health.timeout_seconds ?? waitSeconds,
    oneShot: once.has(name),
    mayEnd: service === undefined,
    signal,
  })
  if (service)
    await requireAnswer(at, { title, service, sha: source.sha, id: (await find())[0]?.Id, signal })
}

/** A failed `up` says little; a container that did not get healthy says why. */
async function startAndWait(
  prepared: Prepared,
  name: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { at, source, locked } = prepared
  // Also a container that Compose would leave as it is, because it is made as the file says: it is not healthy.
  await composeDo({ at, source, text: locked }, [...up, '--no-deps', '--force-recreate', name], {
    signal,
    timeLimitSeconds: startSeconds,
    title: `Service ${name} cannot be started: docker compose up`,
  })
  await requireServiceUp(prepared, name, signal)
}

/**
 * Starts the new version of one service in place of the old one.
 * @returns milliseconds without an answer; null when nothing answered before
 */
async function replaceOne(
  prepared: Prepared,
  name: string,
  { log, signal }: Progress,
): Promise<number | null> {
  const { source, before } = prepared
  const service = source.services.find((each) => each.name === name)
  const answered =
    service !== undefined && before.some((each) => serviceOf(each) === name && each.State.Running)
  const watch = answered ? watchAvailability(answerUrl(service.port, service.health.path)) : null
  let gap: number | null = null
  try {
    await startAndWait(prepared, name, signal)
  } finally {
    gap = watch ? await watch.stop() : null
  }
  log(`${name}: up and healthy${gap === null ? '' : `; no answer for ${gap} ms`}`)
  return gap
}

/** Judges what the started containers really have open and may do. @throws {Problem} `public_port` */
async function requireClosedContainers(
  { at, source, rules: { exceptions, mounts } }: Prepared,
  signal: AbortSignal | undefined,
): Promise<void> {
  const started = await containers(at, { project: source.project, signal })
  const { open } = judgeContainers(started, exceptions, mounts)
  if (open.length > 0)
    throw new Problem('public_port', `${listExposures(open)}.`, {
      evidence: open.map(({ pointer, code, subject }) => `${pointer}: ${code} ${subject}`),
    })
}

/** Brings the old version back. @returns the failure, its message saying what serves now */
export async function bringBack(
  prepared: Prepared,
  failure: Problem,
  { log }: Progress,
): Promise<Problem> {
  const { at, source, model, old } = prepared
  const withText = (text: string, evidence: readonly string[] = []): Problem =>
    new Problem(failure.errorClass, `${failure.message} ${text}`, {
      cause: failure,
      evidence: [...failure.evidence, ...evidence],
    })
  try {
    // Without the signal: a cancelled deploy must still leave the old version serving.
    if (old === undefined) {
      const started = (await containers(at, { project: source.project, all: true }))
        .map(({ Id }) => Id)
        .filter((id) => !prepared.before.some(({ Id }) => Id === id))
      await removeContainers(at, started)
      return withText('No version was running before; what this deploy started was removed.')
    }
    await startRecord(at, old)
    const added = Object.keys(model.services).filter((name) => !(name in old.images))
    const removed = added.length > 0 ? `; ${added.join(', ')} removed` : ''
    log(`the previous version (${shortCommit(old.version)}) was started again${removed}`)
    return withText('The previous version was started again and answers.')
  } catch (error) {
    const second = toProblem(error)
    return withText(
      `The previous version could not be started again either: ${second.message}`,
      second.evidence,
    )
  }
}

/**
 * Brings exactly a recorded version up (again): same release folder, same images.
 * @throws {Problem} `service_unhealthy`, `docker_compose_failed`
 */
async function startRecord(at: Docker, record: ComposeRecord): Promise<void> {
  const { images, schema_version: _version, since: _since, green: _green, ...source } = record
  const { text, model } = await render(at, source)
  await composeDo({ at, source, text: lockImages(text, images) }, [...up, '--remove-orphans'], {
    timeLimitSeconds: startSeconds,
  })
  for (const name of Object.keys(model.services))
    await requireServiceUp({ at, source, oneShots: oneShots(model) }, name, undefined)
}
