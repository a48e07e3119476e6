import { Problem, toProblem } from '#shared/errors'
import type { Docker } from '#ops/platform/docker/engine-api'
import { containers, removeContainers, serviceOf } from '#ops/platform/docker/containers'
import { judgeContainers } from '#ops/platform/net/host-docker'
import { listExposures } from '#ops/platform/net/exposure'
import { watchAvailability } from '#ops/host/engines/common/availability'
import type { Progress } from '#ops/host/engines/common/engine'
import { removeCandidates, tryCandidate, whyNoCandidate } from './candidate.ts'
import type { Prepared, Rules } from './prepare.ts'
import type { ComposeRecord } from './record.ts'
import {
  answerUrl,
  requireAnswer,
  serviceContainers,
  settleContainers,
  settleSeconds,
} from './wait-until-settled.ts'
import { composeDo, oneShots, render, startSeconds, type ComposeSource } from './source.ts'
import { lockImages } from './version-images.ts'

/** What starting a version came to. */
export interface Replaced {
  readonly unansweredMs: number | null
}

const up = ['up', '--detach', '--no-build', '--pull', 'never'] as const

/** Waits for everything that a version has; those with an address must answer there. */
async function settleService(
  at: Docker,
  source: ComposeSource,
  name: string,
  oneShot: boolean,
  signal?: AbortSignal,
): Promise<void> {
  const serving = source.services.find((each) => each.name === name)
  const find = () => serviceContainers(at, source.project, name, signal)
  await settleContainers(at, `Service ${name}`, find, {
    seconds: serving?.health.timeout_seconds ?? settleSeconds,
    oneShot,
    signal,
  })
  if (serving)
    await requireAnswer(at, `Service ${name}`, serving, {
      sha: source.sha,
      id: (await find())[0]?.Id,
      signal,
    })
}

/** A failed `up` says little; a container that did not get healthy says why. */
async function startAndSettle(
  at: Docker,
  prepared: Pick<Prepared, 'source' | 'locked' | 'oneShots'>,
  name: string,
  signal?: AbortSignal,
): Promise<void> {
  const { source, locked, oneShots } = prepared
  // Also a container that Compose would leave as it is, because it is made as the file says: it is not well.
  await composeDo(at, source, locked, [...up, '--no-deps', '--force-recreate', name], {
    signal,
    timeLimitSeconds: startSeconds,
    title: `Service ${name} cannot be started: docker compose up`,
  })
  await settleService(at, source, name, oneShots.has(name), signal)
}

/** Starts the new version of one service in the place of the old. @returns milliseconds without an answer; null when nothing answered before */
async function replaceOne(
  at: Docker,
  prepared: Prepared,
  name: string,
  { log, signal }: Progress,
): Promise<number | null> {
  const { source, before } = prepared
  const serving = source.services.find((each) => each.name === name)
  const answered =
    serving !== undefined && before.some((each) => serviceOf(each) === name && each.State.Running)
  const watch = answered ? watchAvailability(answerUrl(serving.port, serving.health.path)) : null
  let gap: number | null = null
  try {
    await startAndSettle(at, prepared, name, signal)
  } finally {
    gap = watch ? await watch.stop() : null
  }
  log(`${name}: up and healthy${gap === null ? '' : `, unanswered for ${gap} ms`}`)
  return gap
}

/** What the started containers really have open and may do, whatever the compose file said. @throws {Problem} `public_port` */
async function requireClosedContainers(
  at: Docker,
  project: string,
  { exceptions, mounts }: Rules,
  signal?: AbortSignal,
): Promise<void> {
  const { open } = judgeContainers(await containers(at, { project, signal }), exceptions, mounts)
  if (open.length > 0)
    throw new Problem('public_port', `${listExposures(open)}.`, {
      evidence: open.map(({ pointer, code, subject }) => `${pointer}: ${code} ${subject}`),
    })
}

/**
 * Tries what can be tried beside the old version, then replaces service by service, those that others need first. On
 * failure the old version is brought back.
 * @param old the version before, if there was one
 * @throws {Problem} `service_unhealthy`, `docker_compose_failed`, `public_port`; the message says what serves now
 */
export async function replaceVersion(
  at: Docker,
  prepared: Prepared,
  old: ComposeRecord | undefined,
  rules: Rules,
  progress: Progress,
): Promise<Replaced> {
  const { source, locked, changed, gone, oneShots } = prepared
  const { log, signal } = progress
  await removeCandidates(at, source.project)
  for (const name of changed) {
    const why = whyNoCandidate(prepared, name)
    if (why === null) await tryCandidate(at, prepared, name, progress)
    else log(`${name}: not tried beside the old version: ${why}`)
  }
  const gaps: number[] = []
  try {
    for (const name of changed) {
      const gap = await replaceOne(at, prepared, name, progress)
      if (gap !== null) gaps.push(gap)
    }
    // Compose itself says what else must follow a replaced service, and removes what is no longer named.
    await composeDo(at, source, locked, [...up, '--remove-orphans'], {
      signal,
      timeLimitSeconds: startSeconds,
    })
    for (const name of Object.keys(prepared.model.services))
      await settleService(at, source, name, oneShots.has(name), signal)
    if (gone.length > 0) log(`${gone.join(', ')}: no longer in the compose file, removed`)
    await requireClosedContainers(at, source.project, rules, signal)
  } catch (error) {
    throw await bringBack(at, prepared, old, toProblem(error), progress)
  }
  return { unansweredMs: gaps.length === 0 ? null : Math.max(...gaps) }
}

/** @returns the failure, its message saying what serves now */
export async function bringBack(
  at: Docker,
  prepared: Prepared,
  old: ComposeRecord | undefined,
  failure: Problem,
  { log }: Progress,
): Promise<Problem> {
  const { source, model } = prepared
  const say = (text: string, evidence: readonly string[] = []): Problem =>
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
      return say('No version was up before it; what it had started was removed.')
    }
    await startRecord(at, old)
    const added = Object.keys(model.services).filter((name) => !(name in old.images))
    log(
      `the version before (${old.version.slice(0, 12)}) was started again${added.length > 0 ? `; ${added.join(', ')} removed` : ''}`,
    )
    return say('The version before it was started again and answers.')
  } catch (error) {
    const second = toProblem(error)
    return say(
      `The version before it could not be started again either: ${second.message}`,
      second.evidence,
    )
  }
}

/** Brings exactly a recorded version up (again): same release folder, same images. @throws {Problem} `service_unhealthy`, `docker_compose_failed` */
export async function startRecord(
  at: Docker,
  record: ComposeRecord,
  signal?: AbortSignal,
): Promise<void> {
  const { images, schema_version: _version, since: _since, green: _green, ...source } = record
  const { text, model } = await render(at, source, signal)
  await composeDo(at, source, lockImages(text, images), [...up, '--remove-orphans'], {
    signal,
    timeLimitSeconds: startSeconds,
  })
  const once = oneShots(model)
  for (const name of Object.keys(model.services))
    await settleService(at, source, name, once.has(name), signal)
}
