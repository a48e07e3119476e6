// Tries the new version of a service beside the old one, before the old one is touched.
import { randomBytes } from 'node:crypto'
import { Problem } from '#shared/errors'
import {
  container,
  containers,
  isOneOff,
  publishesOf,
  removeContainers,
  serviceOf,
} from '#ops/platform/docker/containers'
import { inspect, type Docker } from '#ops/platform/docker/engine-api'
import type { Progress } from '#ops/host/engines/common/engine'
import type { Prepared } from './prepare.ts'
import { composeDo, insidePort, startSeconds } from './source.ts'
import { requireAnswer, waitSeconds, waitUntilSettled } from './wait-until-settled.ts'

type Attachment = Prepared['model']['services'][string]['networks'][string]

const candidateLabel = 'openclaw.candidate'

/** Why the new version of a service cannot be tried beside the old one; null when it can. */
export function whyNoCandidate(
  { model, oneShots, before }: Pick<Prepared, 'model' | 'oneShots' | 'before'>,
  name: string,
): string | null {
  const service = model.services[name]
  if (service === undefined) return 'it is not in the compose file'
  const runs = (other: string): boolean =>
    before.some((each) => serviceOf(each) === other && each.State.Running)
  if (!runs(name)) return 'it has no running container'
  if (oneShots.has(name)) return 'it does its work once and must not do it twice'
  const shared = service.volumes.find(
    ({ type, source, read_only }) =>
      (type === 'bind' || (type === 'volume' && source !== '')) && read_only !== true,
  )
  if (shared) return `it writes to ${shared.source}, which two versions at once could spoil`
  const fixed = Object.entries(service.networks).find(([, each]) => hasFixedAddress(each))
  if (fixed) return `it has a fixed address in the network ${fixed[0]}`
  if (service.volumes_from.length > 0) return 'it uses the volumes of another container'
  for (const mode of [service.network_mode, service.pid, service.ipc])
    if (mode.includes(':') || mode === 'host') return `it shares ${mode}`
  const missing = Object.entries(service.depends_on).find(
    ([other, { condition }]) => condition !== 'service_completed_successfully' && !runs(other),
  )
  return missing ? `it needs ${missing[0]}, which does not run yet` : null
}

/** Two containers cannot have one address at a time. */
const hasFixedAddress = (attachment: Attachment): boolean =>
  [attachment?.ipv4_address, attachment?.ipv6_address, attachment?.mac_address].some(
    (each) => typeof each === 'string' && each !== '',
  ) || (attachment?.link_local_ips ?? []).length > 0

/** Removes candidates that an earlier deploy left when it was killed. */
export async function removeCandidates(at: Docker, project: string): Promise<void> {
  const left = (await containers(at, { project, all: true })).filter(
    (each) => isOneOff(each) && each.Config.Labels[candidateLabel] === 'true',
  )
  await removeContainers(
    at,
    left.map(({ Id }) => Id),
  )
}

/**
 * Starts the new version of a service once beside the old one, on a port the daemon chooses, in the same networks but
 * without the service's name in them, and ends it again.
 * @throws {Problem} `service_unhealthy`; the version that serves goes on serving
 */
export async function tryCandidate(
  prepared: Prepared,
  name: string,
  { log, signal }: Progress,
): Promise<void> {
  const { at, source } = prepared
  try {
    await startCandidate(prepared, name, signal)
    log(`${name}: the new version is healthy beside the old one`)
  } catch (error) {
    if (error instanceof Problem && error.errorClass === 'service_unhealthy')
      throw new Problem('service_unhealthy', `${error.message} The running version is untouched.`, {
        cause: error,
        evidence: error.evidence,
      })
    throw error
  } finally {
    await removeCandidates(at, source.project)
  }
}

async function startCandidate(
  { at, source, model, locked }: Prepared,
  name: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const title = `The new version of service ${name}`
  const service = source.services.find((each) => each.name === name)
  const inside = service ? insidePort(model, service, source.files) : null
  const id = `${source.project}-${name}-candidate-${randomBytes(4).toString('hex')}`
  await composeDo(
    { at, source, text: locked },
    [
      'run',
      '--detach',
      '--no-TTY',
      '--no-deps',
      '--name',
      id,
      '--label',
      `${candidateLabel}=true`,
      ...(inside === null ? [] : ['--publish', `127.0.0.1::${inside}`]),
      name,
    ],
    { signal, timeLimitSeconds: startSeconds },
  )
  const find = () => inspect(at, { kind: 'container', names: [id], schema: container }, signal)
  const seconds = service?.health.timeout_seconds ?? waitSeconds
  await waitUntilSettled(at, { title, find, seconds, mayEnd: service === undefined, signal })
  if (!service) return
  const [started] = await find()
  const port = started && publishesOf(started).find((each) => each.inside === inside)?.port
  if (port === undefined)
    throw new Problem('service_unhealthy', `${title} has no port at which it could be probed.`)
  await requireAnswer(at, { title, service, sha: source.sha, id, port, signal })
}
