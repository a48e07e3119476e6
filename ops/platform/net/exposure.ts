import type { ProjectConfig } from '#shared/config'

/** Ways in which something gets out of its bounds: reachable from outside, or able to take the host over. */
export const exposureCodes = [
  'public_publish',
  'public_socket',
  'tailnet_socket',
  'public_nat',
  'host_network',
  'lan_network',
  'container_network',
  'host_namespace',
  'privileged',
  'dangerous_capability',
  'weakened_isolation',
  'docker_socket',
  'host_mount',
  'data_in_version',
  'device',
  'special_volume',
  'foreign_driver',
  'kernel_setting',
  'build_host_access',
  'unreviewed_source',
  'unknown_setting',
  'funnel',
  'foreground_serve',
  'serve_target',
] as const
export type ExposureCode = (typeof exposureCodes)[number]

const exception = 'or name it in compose.exceptions with a reason'

/** What a person can do about a finding. */
export const exposureRemedies: Readonly<Record<ExposureCode, string>> = {
  public_publish:
    'Publish on 127.0.0.1 or a tailnet address, or name the port in ports.exceptions with a reason.',
  public_socket:
    'Let the program listen on 127.0.0.1 or a tailnet address, or name the port in ports.exceptions with a reason.',
  tailnet_socket:
    'Let the program listen on 127.0.0.1, or name the port in ports.exceptions with a reason.',
  public_nat: 'Remove the rule, or name the port in ports.exceptions with a reason.',
  host_network: `Use a network of the compose file and publish ports on 127.0.0.1, ${exception}.`,
  lan_network: `Use a bridge network with Docker's defaults, ${exception}.`,
  container_network: `Put both services into one network of the compose file, ${exception}.`,
  host_namespace: `Remove the setting: a service has a namespace to itself then, ${exception}.`,
  privileged: `Remove privileged and add the one capability that the service requires, ${exception}.`,
  dangerous_capability: `Remove the capability, ${exception}.`,
  weakened_isolation: `Remove the option: Docker's own profile protects the host then, ${exception}.`,
  docker_socket: `Remove the mount: who has the socket has the host, ${exception}.`,
  host_mount: `Use a named volume, or a folder below /srv, /mnt, /media, /data or /var/www, ${exception}.`,
  data_in_version:
    'Mount files of the commit read-only, and write to a named volume or to a folder below /srv, /mnt, /media, ' +
    `/data or /var/www, ${exception}.`,
  device: `Remove the device, ${exception}.`,
  special_volume: `Use a named volume without driver_opts; mount the share on the host and bind it, ${exception}.`,
  foreign_driver: `Use a driver of Docker itself (local, bridge, json-file), ${exception}.`,
  kernel_setting: `Set it on the host, ${exception}.`,
  build_host_access: `Remove the setting: a build gets what is in the commit, ${exception}.`,
  unreviewed_source: `Put the files into the repository, so that they are reviewed, ${exception}.`,
  unknown_setting: `Remove the setting, ${exception}.`,
  funnel: 'Switch the funnel off.',
  foreground_serve: 'Serve it in the background, so that it survives the terminal.',
  serve_target: 'Serve a port that HQ knows, or remove the entry.',
}

export interface Exposure {
  readonly code: ExposureCode
  /** Service of the compose file, name of a container, or program that owns a socket. */
  readonly service: string
  /** What exactly: `tcp 0.0.0.0:8080`, `SYS_ADMIN`, `/var/run/docker.sock` … An exception names it. */
  readonly subject: string
  /** One sentence for a person. */
  readonly detail: string
  /** Where it is written: file and JSON pointer, or where it was seen. */
  readonly pointer: string
  /** Set where a port is open. */
  readonly port?: { readonly protocol: string; readonly number: number }
}

export type ExposureExceptions = Pick<ProjectConfig['ports'], 'exceptions'> & {
  readonly compose: readonly {
    readonly code: string
    readonly service: string
    readonly subject: string
    readonly reason: string
  }[]
}

export const noExceptions: ExposureExceptions = { exceptions: [], compose: [] }

/** @returns the configured reason why this one is expected, or null. An empty reason is none. */
export function excuseFor(
  exposure: Exposure,
  { exceptions, compose }: ExposureExceptions,
): string | null {
  const { code, service, subject, port } = exposure
  const byPort =
    port === undefined
      ? undefined
      : exceptions.find((each) => each.protocol === port.protocol && each.port === port.number)
  const named = compose.find(
    (each) => each.code === code && each.service === service && each.subject === subject,
  )
  const reason = (byPort ?? named)?.reason.trim() ?? ''
  return reason === '' ? null : reason
}

export interface Judged {
  readonly open: readonly Exposure[]
  readonly excused: readonly { readonly exposure: Exposure; readonly reason: string }[]
}

/** Splits what was found into what the configuration expects, with its reason, and what it does not. */
export function applyExceptions(
  found: readonly Exposure[],
  exceptions: ExposureExceptions,
): Judged {
  const judged = found.map((exposure) => ({ exposure, reason: excuseFor(exposure, exceptions) }))
  return {
    open: judged.flatMap(({ exposure, reason }) => (reason === null ? [exposure] : [])),
    excused: judged.flatMap(({ exposure, reason }) =>
      reason === null ? [] : [{ exposure, reason }],
    ),
  }
}

/** What helps against these findings, each remedy once, for the evidence of a failure. */
export const remediesOf = (found: readonly Exposure[]): string[] =>
  [...new Set(found.map(({ code }) => code))].map(
    (code) => `Remedy for ${code}: ${exposureRemedies[code]}`,
  )

/** All on one line, for the message of a failure. */
export const listExposures = (found: readonly Exposure[]): string =>
  found.map(({ service, detail, pointer }) => `${service}: ${detail} (${pointer})`).join(' · ')
