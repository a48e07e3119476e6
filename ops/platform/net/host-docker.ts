import { publishesOf, serviceOf, type Container } from '#ops/platform/docker/containers'
import { capabilityName, harmlessCapabilities, weakens } from '#ops/platform/docker/privileges'
import {
  applyExceptions,
  noExceptions,
  type Exposure,
  type ExposureExceptions,
  type Judged,
} from './exposure.ts'
import { judgeMount, ordinaryMounts, type MountRules } from './host-mounts.ts'
import { endpointName, isPrivateAddress } from './addresses.ts'

const nameOf = (container: Container): string =>
  serviceOf(container) ?? container.Name.replace(/^\//, '')

function exposuresOf(container: Container, mounts: MountRules): Exposure[] {
  const { HostConfig, Mounts } = container
  const found: Exposure[] = []
  const service = nameOf(container)
  const pointer = `container ${container.Name.replace(/^\//, '')}`
  const report = (code: Exposure['code'], subject: string, detail: string): void => {
    found.push({ code, service, subject, detail, pointer })
  }
  for (const { address, port, protocol } of publishesOf(container)) {
    if (isPrivateAddress(address)) continue
    const subject = endpointName(protocol, address, port)
    const detail = `publishes ${subject}`
    const published = { protocol, number: port }
    found.push({ code: 'public_publish', service, subject, detail, pointer, port: published })
  }
  if (HostConfig.NetworkMode === 'host')
    report(
      'host_network',
      'host',
      'uses the network of the host, where everything it listens on is open',
    )
  for (const [name, value] of [
    ['pid', HostConfig.PidMode],
    ['ipc', HostConfig.IpcMode],
    ['uts', HostConfig.UTSMode],
    ['userns_mode', HostConfig.UsernsMode],
  ] as const) {
    if (value === 'host')
      report('host_namespace', `${name}:host`, `shares the ${name} namespace of the host`)
  }
  if (HostConfig.Privileged)
    report(
      'privileged',
      'privileged',
      'runs privileged, with every device and capability of the host',
    )
  for (const name of HostConfig.CapAdd)
    if (!harmlessCapabilities.has(capabilityName(name)))
      report(
        'dangerous_capability',
        capabilityName(name),
        `has the capability ${capabilityName(name)}`,
      )
  // A privileged container has its labels off by itself; that is said once.
  for (const option of HostConfig.Privileged ? [] : HostConfig.SecurityOpt)
    if (weakens(option))
      report('weakened_isolation', option, `runs with a protection switched off (${option})`)
  for (const { PathOnHost } of HostConfig.Devices)
    report('device', PathOnHost, `has the device ${PathOnHost} of the host`)
  for (const rule of HostConfig.DeviceCgroupRules)
    report('device', rule, `may open devices of the host (${rule})`)
  for (const { Type, Source, RW } of Mounts) {
    const why = Type === 'bind' ? judgeMount(Source, !RW, mounts) : null
    if (why) report(why.code, Source, why.why)
  }
  return found
}

/**
 * What running containers have open, and what they may do to the host: the same rules as for a compose file, on what
 * really runs.
 */
export const judgeContainers = (
  containers: readonly Container[],
  exceptions: ExposureExceptions = noExceptions,
  mounts: MountRules = ordinaryMounts,
): Judged =>
  applyExceptions(
    containers.filter(({ State }) => State.Running).flatMap((each) => exposuresOf(each, mounts)),
    exceptions,
  )
