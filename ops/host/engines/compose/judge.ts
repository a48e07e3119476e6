// Judges a rendered compose file: what it would open to the network, and what power it gives over the host.
import {
  applyExceptions,
  noExceptions,
  type Exposure,
  type ExposureCode,
  type ExposureExceptions,
  type Judged,
} from '#ops/platform/net/exposure'
import { judgeMount, ordinaryMounts, type MountRules } from '#ops/platform/net/host-mounts'
import {
  capabilityName,
  dangerousCapabilities,
  knownSettings,
  weakens,
} from '#ops/platform/docker/known-settings'
import type { ComposeModel, ComposeService } from './model.ts'
import { endpointName, isPrivateAddress } from '#ops/platform/net/addresses'

export interface JudgeOptions {
  /** Name of the compose file, for the pointers. */
  readonly file?: string
  readonly exceptions?: ExposureExceptions
  readonly mounts?: MountRules
  /** Follows the links of a bind mount's source; the judge itself touches no file. */
  readonly resolvePath?: (path: string) => string
}

/** A finding about one service; `at` points into its part of the compose file. */
interface Finding extends Pick<Exposure, 'subject' | 'detail' | 'port'> {
  readonly code: ExposureCode
  readonly at: string
}

type Report = (finding: Finding) => void

/** Most ports one entry may open before it is judged by its ends alone. */
const rangeLimit = 1024

/** `8000-8010` and `8000`; an empty text is a port that the daemon chooses. */
function portsOf(published: string, target: number): number[] {
  if (published === '') return [target]
  const [first = '', last = first] = published.split('-')
  const [from, to] = [Number(first), Number(last)]
  if (!Number.isInteger(from) || !Number.isInteger(to) || to < from) return [target]
  return to - from > rangeLimit
    ? [from, to]
    : Array.from({ length: to - from + 1 }, (_, i) => from + i)
}

function judgePorts({ ports }: ComposeService, report: Report): void {
  for (const [i, { host_ip, published, target, protocol }] of ports.entries()) {
    if (isPrivateAddress(host_ip)) continue
    const address = host_ip === '' ? '0.0.0.0' : host_ip
    for (const number of portsOf(published, target)) {
      const where = published === '' ? 'a port the daemon chooses' : String(number)
      const why =
        host_ip === '' ? 'names no address, which means every one' : `is bound to ${host_ip}`
      report({
        code: 'public_publish',
        at: `ports/${i}`,
        subject: endpointName(protocol, address, published === '' ? 'any' : number),
        detail: `publishes ${protocol} ${where}, which ${why}; only loopback and tailnet addresses are allowed`,
        port: { protocol, number },
      })
    }
  }
}

function judgeNamespaces(service: ComposeService, model: ComposeModel, report: Report): void {
  const { network_mode } = service
  if (network_mode === 'host')
    report({
      code: 'host_network',
      at: 'network_mode',
      subject: 'host',
      detail: 'uses the network of the host, where everything it listens on is open',
    })
  else if (network_mode.startsWith('container:'))
    report({
      code: 'container_network',
      at: 'network_mode',
      subject: network_mode,
      detail: 'uses the network of a container outside this file',
    })
  for (const name of ['pid', 'ipc', 'uts', 'userns_mode', 'cgroup'] as const) {
    const shared = service[name]
    if (shared !== 'host' && !shared.startsWith('container:')) continue
    const owner = shared === 'host' ? 'the host' : 'a container outside this file'
    report({
      code: 'host_namespace',
      at: name,
      subject: `${name}:${shared}`,
      detail: `shares the ${name} namespace of ${owner}`,
    })
  }
  for (const name of Object.keys(service.networks)) {
    const network = model.networks[name]
    if (network?.driver === 'host' || (network?.name === 'host' && 'external' in network))
      report({
        code: 'host_network',
        at: `networks/${name}`,
        subject: 'host',
        detail: 'uses the network of the host, where everything it listens on is open',
      })
    if (network?.driver === 'macvlan' || network?.driver === 'ipvlan')
      report({
        code: 'lan_network',
        at: `networks/${name}`,
        subject: network.driver,
        detail: `is attached to the local network by the ${network.driver} network ${name}`,
      })
    for (const [option, value] of Object.entries(network?.driver_opts ?? {})) {
      if (
        option.startsWith('com.docker.network.bridge.gateway_mode_') &&
        value !== 'nat' &&
        value !== 'isolated'
      )
        report({
          code: 'lan_network',
          at: `networks/${name}`,
          subject: `${option}=${String(value)}`,
          detail: `can be reached without a published port through the network ${name} (${option}: ${String(value)})`,
        })
    }
  }
}

function judgePrivileges(service: ComposeService, report: Report): void {
  if (service.privileged === true)
    report({
      code: 'privileged',
      at: 'privileged',
      subject: 'privileged',
      detail: 'runs privileged, with every device and capability of the host',
    })
  for (const [i, name] of service.cap_add.entries()) {
    if (dangerousCapabilities.has(capabilityName(name)))
      report({
        code: 'dangerous_capability',
        at: `cap_add/${i}`,
        subject: capabilityName(name),
        detail: `has the capability ${capabilityName(name)}`,
      })
  }
  for (const [i, option] of service.security_opt.entries()) {
    if (weakens(option))
      report({
        code: 'weakened_isolation',
        at: `security_opt/${i}`,
        subject: option,
        detail: `switches a protection off (${option})`,
      })
  }
  for (const [i, source] of service.devices.entries())
    report({
      code: 'device',
      at: `devices/${i}`,
      subject: source,
      detail: `has the device ${source} of the host`,
    })
  for (const [i, rule] of service.device_cgroup_rules.entries())
    report({
      code: 'device',
      at: `device_cgroup_rules/${i}`,
      subject: rule,
      detail: `may open devices of the host (${rule})`,
    })
  if (service.gpus !== undefined && service.gpus !== null)
    report({
      code: 'device',
      at: 'gpus',
      subject: 'gpus',
      detail: 'has the graphics processors of the host',
    })
  for (const i of (service.deploy?.resources?.reservations?.devices ?? []).keys())
    report({
      code: 'device',
      at: `deploy/resources/reservations/devices/${i}`,
      subject: `reservation ${i}`,
      detail: 'reserves devices of the host',
    })
  for (const name of ['post_start', 'pre_stop'] as const) {
    for (const [i, { privileged }] of service[name].entries())
      if (privileged === true)
        report({
          code: 'privileged',
          at: `${name}/${i}/privileged`,
          subject: name,
          detail: `runs its ${name} command privileged`,
        })
  }
}

function judgeMounts(
  { service, model }: { readonly service: ComposeService; readonly model: ComposeModel },
  options: JudgeOptions,
  report: Report,
): void {
  const { mounts = ordinaryMounts, resolvePath = (path) => path } = options
  if (service.use_api_socket === true)
    report({
      code: 'docker_socket',
      at: 'use_api_socket',
      subject: 'use_api_socket',
      detail: 'is given the socket of the container engine',
    })
  const judgeSource = (source: string, readOnly: boolean, at: string): void => {
    const found =
      judgeMount(source, readOnly, mounts) ?? judgeMount(resolvePath(source), readOnly, mounts)
    if (found) report({ code: found.code, at, subject: source, detail: found.why })
  }
  for (const [i, { type, source, read_only }] of service.volumes.entries()) {
    if (type === 'bind') judgeSource(source, read_only === true, `volumes/${i}`)
    if (type === 'npipe')
      report({
        code: 'docker_socket',
        at: `volumes/${i}`,
        subject: source,
        detail: `mounts the pipe ${source}`,
      })
    const volume = type === 'volume' ? model.volumes[source] : undefined
    // A named volume can be a folder of the host in disguise.
    const folder = volume?.driver_opts['device']
    const kinds = [
      String(volume?.driver_opts['o'] ?? ''),
      String(volume?.driver_opts['type'] ?? ''),
    ]
      .join(',')
      .split(',')
    if (
      folder !== undefined &&
      (kinds.includes('bind') || kinds.includes('rbind') || kinds.includes('none'))
    )
      judgeSource(String(folder), read_only === true || kinds.includes('ro'), `volumes/${i}`)
    else if (folder !== undefined && String(folder).startsWith('/dev/'))
      report({
        code: 'device',
        at: `volumes/${i}`,
        subject: String(folder),
        detail: `mounts the device ${String(folder)} of the host`,
      })
  }
  // Mounts by another name, and what an image can be made of: Compose reads both with the rights of its caller.
  const files = [
    ...service.secrets.map(
      ({ source }, i) => [`secrets/${i}`, model.secrets[source]?.file] as const,
    ),
    ...service.configs.map(
      ({ source }, i) => [`configs/${i}`, model.configs[source]?.file] as const,
    ),
    ...(service.build?.secrets ?? []).map(
      ({ source }, i) => [`build/secrets/${i}`, model.secrets[source]?.file] as const,
    ),
    ['build/context', service.build?.context] as const,
    ...Object.entries(service.build?.additional_contexts ?? {}).map(
      ([name, path]) => [`build/additional_contexts/${name}`, path] as const,
    ),
  ]
  for (const [at, path] of files) if (path?.startsWith('/')) judgeSource(path, true, at)
  for (const [i, from] of service.volumes_from.entries())
    if (from.startsWith('container:'))
      report({
        code: 'host_mount',
        at: `volumes_from/${i}`,
        subject: from,
        detail: 'takes the volumes of a container outside this file',
      })
}

function judgeBuild({ build }: ComposeService, report: Report): void {
  if (build === undefined) return
  if (build.privileged === true)
    report({
      code: 'build_host_access',
      at: 'build/privileged',
      subject: 'privileged',
      detail: 'is built privileged',
    })
  if (build.network === 'host')
    report({
      code: 'build_host_access',
      at: 'build/network',
      subject: 'network:host',
      detail: 'is built in the network of the host',
    })
  for (const [i, name] of build.entitlements.entries())
    report({
      code: 'build_host_access',
      at: `build/entitlements/${i}`,
      subject: name,
      detail: `is built with ${name}`,
    })
}

function judgeSettings(service: ComposeService, report: Report): void {
  for (const name of Object.keys(service)) {
    if (!knownSettings.has(name) && !name.startsWith('x-'))
      report({
        code: 'unknown_setting',
        at: name,
        subject: name,
        detail: `has the setting ${name}, which this version of HQ does not know and so cannot judge`,
      })
  }
  if (service.provider !== undefined && service.provider !== null)
    report({
      code: 'build_host_access',
      at: 'provider',
      subject: 'provider',
      detail: 'is made by a program of the host (provider)',
    })
}

/**
 * Everything in a rendered compose file that would open a port to others than this machine and the tailnet, or give a
 * container power over the host. Call it before anything is built or started.
 * @param model what `docker compose config --format json` printed
 */
export function judgeComposeModel(model: ComposeModel, options: JudgeOptions = {}): Judged {
  const { file = 'compose.yaml', exceptions = noExceptions } = options
  const found: Exposure[] = []
  for (const [name, service] of Object.entries(model.services)) {
    const report: Report = ({ code, at, subject, detail, port }) => {
      found.push({
        code,
        service: name,
        subject,
        detail,
        pointer: `${file}#/services/${name}/${at}`,
        ...(port ? { port } : {}),
      })
    }
    judgePorts(service, report)
    judgeNamespaces(service, model, report)
    judgePrivileges(service, report)
    judgeMounts({ service, model }, options, report)
    judgeBuild(service, report)
    judgeSettings(service, report)
  }
  return applyExceptions(found, exceptions)
}
