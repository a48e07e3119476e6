import { Problem } from '#shared/errors'
import { dockerDo } from '#ops/platform/docker/client'
import type { Container } from '#ops/platform/docker/containers'
import { composeServices, type ServiceSeen } from '#ops/host/engines/compose/health'
import { dockerOf } from '#ops/host/engines/compose/rules'
import {
  requireAnswer,
  serviceContainers,
  settleContainers,
  settleSeconds,
} from '#ops/host/engines/compose/wait-until-settled'
import { oneShots, render } from '#ops/host/engines/compose/source'
import { withServicesLock } from '#ops/host/engines/common/services-lock'
import { stillStarting } from './age.ts'
import {
  lockPatienceMs,
  type Applied,
  type GuardHost,
  type Remediation,
  type Seen,
} from './remediation.ts'

/** Between SIGTERM and SIGKILL, in seconds. */
const stopSeconds = 10

const targetOf = ({ record, service }: ServiceSeen): string => `${record.project}/${service}`
const servingOf = ({ record, service }: ServiceSeen) =>
  record.services.find(({ name }) => name === service)
const secondsOf = (seen: ServiceSeen): number =>
  servingOf(seen)?.health.timeout_seconds ?? settleSeconds

/** Containers that are to blame: ended, called unhealthy by Docker, or, where none is, all of a service that does not answer. */
function ill({ own }: ServiceSeen): readonly Container[] {
  const known = own.filter(({ State }) => !State.Running || State.Health?.Status === 'unhealthy')
  return known.length > 0 ? known : own
}

/** Does it work once and end? Then a failed one must not do its work again by itself. @throws {Problem} `docker_compose_failed` */
async function isOneShot(
  { paths }: GuardHost,
  { record, service, own }: ServiceSeen,
  signal?: AbortSignal,
): Promise<boolean> {
  if (own.every(({ State }) => State.Running)) return false
  return oneShots((await render(dockerOf(paths), record, signal)).model).has(service)
}

/** Why a service that is not well is nothing for guard; null when a restart is due. */
async function whyNot(
  host: GuardHost,
  seen: ServiceSeen,
  signal?: AbortSignal,
): Promise<string | null> {
  const { record, service, own } = seen
  if (own.length === 0) return 'a deploy makes it anew'
  // Only what the last deploy brought up is ours to start: the recorded project, service and image.
  if (own.some(({ Image }) => Image !== record.images[service]))
    return 'its container does not run the recorded image, so it is left alone'
  if (own.some(({ State }) => State.Status === 'paused'))
    return 'its container is paused, which somebody did on purpose; it is left alone'
  if (own.some(({ State }) => State.Status === 'restarting'))
    return 'Docker itself keeps restarting it'
  if (await isOneShot(host, seen, signal)) return 'it does its work once and must not do it twice'
  const seconds = secondsOf(seen)
  const fresh = ill(seen).some(
    ({ State }) =>
      State.Running &&
      State.Health?.Status !== 'unhealthy' &&
      stillStarting(State.StartedAt, seconds),
  )
  return fresh ? `it was started less than ${seconds} s ago` : null
}

async function look(host: GuardHost, signal?: AbortSignal): Promise<Seen[]> {
  return Promise.all(
    (await composeServices(host.paths, signal)).map(async (seen): Promise<Seen> => {
      const { name, why, detail } = seen.health
      const of = (state: Seen['state'], text: string): Seen => ({
        target: targetOf(seen),
        check: `service:${name}`,
        state,
        detail: text,
      })
      if (why === null) return of('good', detail)
      const reason = await whyNot(host, seen, signal)
      return reason === null ? of('due', detail) : of('fail', `${detail}; ${reason}`)
    }),
  )
}

async function restart(host: GuardHost, target: string, signal?: AbortSignal): Promise<Applied> {
  const at = dockerOf(host.paths)
  // Looked at once more: a deploy may have had the lock until now.
  const seen = (await composeServices(host.paths, signal)).find((each) => targetOf(each) === target)
  if (!seen)
    throw new Problem('state_invalid', `${target} has no record any more. Nothing was restarted.`)
  if (seen.health.why === null)
    return { acted: false, reason: 'it is well again without a restart' }
  const reason = await whyNot(host, seen, signal)
  if (reason !== null) throw new Problem('lane_busy', `${target} was not restarted: ${reason}.`)
  const ids = ill(seen).map(({ Id }) => Id)
  const names = ill(seen)
    .map(({ Name }) => Name.replace(/^\//, ''))
    .join(', ')
  await dockerDo(at, ['restart', '-t', String(stopSeconds), ...ids], {
    signal,
    timeLimitSeconds: 60 + stopSeconds * ids.length,
    title: `${names} cannot be restarted: docker restart`,
  })
  await settleContainers(
    at,
    `Service ${target}`,
    () => serviceContainers(at, seen.record.project, seen.service, signal),
    { seconds: secondsOf(seen), signal },
  )
  const serving = servingOf(seen)
  if (serving)
    await requireAnswer(at, `Service ${target}`, serving, {
      sha: seen.record.sha,
      id: ids[0],
      signal,
    })
  return { acted: true, reason: `${names} was restarted and is healthy` }
}

/** Services of the engine `compose`: their container has ended, or is unhealthy at every look. */
export const restartContainer: Remediation = {
  id: 'restart_container',
  undone: 'FAIL',
  look,
  apply: (host, target, signal) =>
    withServicesLock(host.paths, () => restart(host, target, signal), signal, lockPatienceMs),
}
