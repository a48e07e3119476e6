import {
  applyExceptions,
  endpointName,
  isPrivateAddress,
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

export interface JudgeOptions {
  /** Name of the compose file, for the pointers. */
  readonly file?: string
  readonly exceptions?: ExposureExceptions
  readonly mounts?: MountRules
  /** Follows the links of a bind mount's source; the judge itself touches no file. */
  readonly resolvePath?: (path: string) => string
}

type Report = (
  code: ExposureCode,
  at: string,
  subject: string,
  detail: string,
  port?: Exposure['port'],
) => void

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
      report(
        'public_publish',
        `ports/${i}`,
        endpointName(protocol, address, published === '' ? 'any' : number),
        `publishes ${protocol} ${where}, which ${why}; only loopback and tailnet addresses are allowed`,
        { protocol, number },
      )
    }
  }
}

function judgeNamespaces(service: ComposeService, model: ComposeModel, report: Report): void {
  const { network_mode } = service
  if (network_mode === 'host')
    report(
      'host_network',
      'network_mode',
      'host',
      'uses the network of the host, where everything it listens on is open',
    )
  else if (network_mode.startsWith('container:'))
    report(
      'container_network',
      'network_mode',
      network_mode,
      'uses the network of a container outside this file',
    )
  for (const name of ['pid', 'ipc', 'uts', 'userns_mode', 'cgroup'] as const) {
    if (service[name] === 'host' || service[name].startsWith('container:'))
      report(
        'host_namespace',
        name,
        `${name}:${service[name]}`,
        `shares the ${name} namespace of ${service[name] === 'host' ? 'the host' : 'a container outside this file'}`,
      )
  }
  for (const name of Object.keys(service.networks)) {
    const network = model.networks[name]
    if (network?.driver === 'host' || (network?.name === 'host' && 'external' in network))
      report(
        'host_network',
        `networks/${name}`,
        'host',
        'uses the network of the host, where everything it listens on is open',
      )
    if (network?.driver === 'macvlan' || network?.driver === 'ipvlan')
      report(
        'lan_network',
        `networks/${name}`,
        network.driver,
        `is put on the local network itself by the ${network.driver} network ${name}`,
      )
    for (const [option, value] of Object.entries(network?.driver_opts ?? {})) {
      if (
        option.startsWith('com.docker.network.bridge.gateway_mode_') &&
        value !== 'nat' &&
        value !== 'isolated'
      )
        report(
          'lan_network',
          `networks/${name}`,
          `${option}=${String(value)}`,
          `can be reached without a published port through the network ${name} (${option}: ${String(value)})`,
        )
    }
  }
}

function judgePrivileges(service: ComposeService, report: Report): void {
  if (service.privileged === true)
    report(
      'privileged',
      'privileged',
      'privileged',
      'runs privileged, with every device and capability of the host',
    )
  for (const [i, name] of service.cap_add.entries()) {
    if (dangerousCapabilities.has(capabilityName(name)))
      report(
        'dangerous_capability',
        `cap_add/${i}`,
        capabilityName(name),
        `has the capability ${capabilityName(name)}`,
      )
  }
  for (const [i, option] of service.security_opt.entries()) {
    if (weakens(option))
      report(
        'weakened_isolation',
        `security_opt/${i}`,
        option,
        `switches a protection off (${option})`,
      )
  }
  for (const [i, source] of service.devices.entries())
    report('device', `devices/${i}`, source, `has the device ${source} of the host`)
  for (const [i, rule] of service.device_cgroup_rules.entries())
    report('device', `device_cgroup_rules/${i}`, rule, `may open devices of the host (${rule})`)
  if (service.gpus !== undefined && service.gpus !== null)
    report('device', 'gpus', 'gpus', 'has the graphics processors of the host')
  for (const i of (service.deploy?.resources?.reservations?.devices ?? []).keys())
    report(
      'device',
      `deploy/resources/reservations/devices/${i}`,
      `reservation ${i}`,
      'reserves devices of the host',
    )
  for (const name of ['post_start', 'pre_stop'] as const) {
    for (const [i, { privileged }] of service[name].entries())
      if (privileged === true)
        report('privileged', `${name}/${i}/privileged`, name, `runs its ${name} command privileged`)
  }
}

function judgeMounts(
  service: ComposeService,
  model: ComposeModel,
  { mounts = ordinaryMounts, resolvePath = (path) => path }: JudgeOptions,
  report: Report,
): void {
  if (service.use_api_socket === true)
    report(
      'docker_socket',
      'use_api_socket',
      'use_api_socket',
      'is given the socket of the container engine',
    )
  const place = (source: string, readOnly: boolean, at: string): void => {
    const found =
      judgeMount(source, readOnly, mounts) ?? judgeMount(resolvePath(source), readOnly, mounts)
    if (found) report(found.code, at, source, found.why)
  }
  for (const [i, { type, source, read_only }] of service.volumes.entries()) {
    if (type === 'bind') place(source, read_only === true, `volumes/${i}`)
    if (type === 'npipe')
      report('docker_socket', `volumes/${i}`, source, `mounts the pipe ${source}`)
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
      place(String(folder), read_only === true || kinds.includes('ro'), `volumes/${i}`)
    else if (folder !== undefined && String(folder).startsWith('/dev/'))
      report(
        'device',
        `volumes/${i}`,
        String(folder),
        `mounts the device ${String(folder)} of the host`,
      )
  }
  // Mounts by another name, and what an image can be made of: Compose reads both with the power of who starts it.
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
  for (const [at, path] of files) if (path?.startsWith('/')) place(path, true, at)
  for (const [i, from] of service.volumes_from.entries())
    if (from.startsWith('container:'))
      report(
        'host_mount',
        `volumes_from/${i}`,
        from,
        'takes the volumes of a container outside this file',
      )
}

function judgeBuild({ build }: ComposeService, report: Report): void {
  if (build === undefined) return
  if (build.privileged === true)
    report('build_host_access', 'build/privileged', 'privileged', 'is built privileged')
  if (build.network === 'host')
    report(
      'build_host_access',
      'build/network',
      'network:host',
      'is built in the network of the host',
    )
  for (const [i, name] of build.entitlements.entries())
    report('build_host_access', `build/entitlements/${i}`, name, `is built with ${name}`)
}

function judgeSettings(service: ComposeService, report: Report): void {
  for (const name of Object.keys(service)) {
    if (!knownSettings.has(name) && !name.startsWith('x-'))
      report(
        'unknown_setting',
        name,
        name,
        `has the setting ${name}, which this version of HQ does not know and so cannot judge`,
      )
  }
  if (service.provider !== undefined && service.provider !== null)
    report(
      'build_host_access',
      'provider',
      'provider',
      'is made by a program of the host (provider)',
    )
}

/**
 * Everything in a rendered compose file that would open a port to others than this machine and the tailnet, or give a
 * container power over the host. To be asked before anything is built or started (design §7).
 * @param model what `docker compose config --format json` printed
 */
export function judgeComposeModel(model: ComposeModel, options: JudgeOptions = {}): Judged {
  const { file = 'compose.yaml', exceptions = noExceptions } = options
  const found: Exposure[] = []
  for (const [name, service] of Object.entries(model.services)) {
    const report: Report = (code, at, subject, detail, port) => {
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
    judgeMounts(service, model, options, report)
    judgeBuild(service, report)
    judgeSettings(service, report)
  }
  return applyExceptions(found, exceptions)
}
