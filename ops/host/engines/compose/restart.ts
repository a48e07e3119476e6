// How guard watches the services of the compose engine, and restarts their containers.
import { Problem } from '#shared/errors'
import { dockerDo } from '#ops/platform/docker/client'
import type { Container } from '#ops/platform/docker/containers'
import type {
  EngineGuard,
  EngineHost,
  GuardTarget,
  RestartRequest,
} from '#ops/host/engines/common/engine'
import { dockerOf } from '#ops/host/engines/common/host-docker'
import { withServicesLock } from '#ops/host/engines/common/services-lock'
import { stillStarting } from '#ops/host/engines/common/still-starting'
import { composeServices, type FoundService } from './health.ts'
import { oneShots, render } from './source.ts'
import {
  requireAnswer,
  serviceContainers,
  waitSeconds,
  waitUntilSettled,
} from './wait-until-settled.ts'

/** A service is due for a restart when its container has ended, or is unhealthy. */
export const composeGuard: EngineGuard = {
  remediation: 'restart_container',
  targets: async (host, signal) => {
    const services = await composeServices(host, signal)
    return Promise.all(services.map((found) => guardTarget(host, found, signal)))
  },
  restart: (request) =>
    withServicesLock(request.host.paths, () => restart(request), {
      signal: request.signal,
      patienceMs: request.patienceMs,
    }),
}

/** Between SIGTERM and SIGKILL, in seconds. */
const stopSeconds = 10

const targetOf = ({ record, service }: FoundService): string => `${record.project}/${service}`
const servingOf = ({ record, service }: FoundService) =>
  record.services.find(({ name }) => name === service)
const secondsOf = (found: FoundService): number =>
  servingOf(found)?.health.timeout_seconds ?? waitSeconds

async function guardTarget(
  host: EngineHost,
  found: FoundService,
  signal: AbortSignal | undefined,
): Promise<GuardTarget> {
  const { name, why, detail } = found.health
  const target = { target: targetOf(found), check: `service:${name}` }
  if (why === null) return { ...target, state: 'good', detail }
  const reason = await whyNoRestart(host, found, signal)
  return reason === null
    ? { ...target, state: 'due', detail }
    : { ...target, state: 'fail', detail: `${detail}; ${reason}` }
}

/**
 * The containers to restart: those that have ended or that Docker calls unhealthy; where there are none, all
 * containers of a service that does not answer.
 */
function unhealthyContainers({ own }: FoundService): readonly Container[] {
  const known = own.filter(({ State }) => !State.Running || State.Health?.Status === 'unhealthy')
  return known.length > 0 ? known : own
}

/** A one-shot that failed must not do its work again by itself. @throws {Problem} `docker_compose_failed` */
async function isOneShot(
  host: EngineHost,
  { record, service, own }: FoundService,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (own.every(({ State }) => State.Running)) return false
  return oneShots((await render(dockerOf(host), record, signal)).model).has(service)
}

/** Why guard must not restart an unhealthy service; null when a restart is due. */
async function whyNoRestart(
  host: EngineHost,
  found: FoundService,
  signal: AbortSignal | undefined,
): Promise<string | null> {
  const { record, service, own } = found
  if (own.length === 0) return 'a deploy creates it again'
  // Only what the last deploy brought up is ours to start: the recorded project, service and image.
  if (own.some(({ Image }) => Image !== record.images[service]))
    return 'its container does not run the recorded image, so guard leaves it alone'
  if (own.some(({ State }) => State.Status === 'paused'))
    return 'its container is paused, which only a person does; guard leaves it alone'
  if (own.some(({ State }) => State.Status === 'restarting'))
    return 'Docker itself keeps restarting it'
  if (await isOneShot(host, found, signal)) return 'it does its work once and must not do it twice'
  const seconds = secondsOf(found)
  const fresh = unhealthyContainers(found).some(
    ({ State }) =>
      State.Running &&
      State.Health?.Status !== 'unhealthy' &&
      stillStarting(State.StartedAt, seconds),
  )
  return fresh ? `it was started less than ${seconds} s ago` : null
}

async function restart({
  host,
  target,
  signal,
}: RestartRequest): Promise<{ acted: boolean; reason: string }> {
  const at = dockerOf(host)
  // Probed once more: a deploy may have held the lock until now.
  const found = (await composeServices(host, signal)).find((each) => targetOf(each) === target)
  if (!found)
    throw new Problem('state_invalid', `${target} has no record any more. Nothing was restarted.`)
  if (found.health.why === null)
    return { acted: false, reason: 'it is healthy again without a restart' }
  const reason = await whyNoRestart(host, found, signal)
  if (reason !== null) throw new Problem('lane_busy', `${target} was not restarted: ${reason}.`)
  const due = unhealthyContainers(found)
  const ids = due.map(({ Id }) => Id)
  const names = due.map(({ Name }) => Name.replace(/^\//, '')).join(', ')
  await dockerDo(at, ['restart', '-t', String(stopSeconds), ...ids], {
    signal,
    timeLimitSeconds: 60 + stopSeconds * ids.length,
    title: `${names} cannot be restarted: docker restart`,
  })
  const { record } = found
  const title = `Service ${target}`
  await waitUntilSettled(at, {
    title,
    find: () => serviceContainers(at, { project: record.project, service: found.service }, signal),
    seconds: secondsOf(found),
    signal,
  })
  const service = servingOf(found)
  if (service) await requireAnswer(at, { title, service, sha: record.sha, id: ids[0], signal })
  return { acted: true, reason: `${names} was restarted and is healthy` }
}
