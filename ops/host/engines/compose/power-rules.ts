// What a service may do: capabilities, protections, devices, kernel settings, commands of its hooks.
import {
  capabilityName,
  harmlessCapabilities,
  keepsIsolation,
  weakens,
} from '#ops/platform/docker/privileges'
import type { JudgedKey } from './keys.ts'
import type { ServiceCase, ServiceRule } from './rule.ts'

function judgeCapabilities({ service: { cap_add }, report }: ServiceCase): void {
  for (const [i, name] of cap_add.entries())
    if (!harmlessCapabilities.has(capabilityName(name)))
      report({
        code: 'dangerous_capability',
        at: `cap_add/${i}`,
        subject: capabilityName(name),
        detail: `has the capability ${capabilityName(name)}`,
      })
}

function judgeSecurity({ service: { security_opt }, report }: ServiceCase): void {
  for (const [i, option] of security_opt.entries())
    if (!keepsIsolation(option))
      report({
        code: 'weakened_isolation',
        at: `security_opt/${i}`,
        subject: option,
        detail: weakens(option)
          ? `switches a protection off (${option})`
          : `replaces a protection by one that HQ cannot judge (${option})`,
      })
}

/** Kernel settings that every container has its own of (namespaces(7)); all others are those of the host. */
const ownSysctl =
  /^(?:net\.|fs\.mqueue\.|kernel\.(?:msg(?:max|mnb|mni)|sem|shm(?:all|max|mni|_rmid_forced)|domainname)$)/

function judgeSysctls({ service: { sysctls }, report }: ServiceCase): void {
  for (const [name] of sysctls)
    if (!ownSysctl.test(name.replaceAll('/', '.')))
      report({
        code: 'kernel_setting',
        at: `sysctls/${name}`,
        subject: name,
        detail: `sets ${name}, which is a setting of the host's kernel`,
      })
}

/** Annotations go to the container runtime, which some of them give devices and settings of systemd. */
function judgeAnnotations({ service: { annotations }, report }: ServiceCase): void {
  for (const [name] of annotations)
    if (!name.startsWith('org.opencontainers.image.'))
      report({
        code: 'weakened_isolation',
        at: `annotations/${name}`,
        subject: name,
        detail: `passes the annotation ${name} to the container runtime, which may obey it`,
      })
}

function judgeDevices({ service: { devices }, report }: ServiceCase): void {
  for (const [i, source] of devices.entries())
    report({
      code: 'device',
      at: `devices/${i}`,
      subject: source,
      detail: `has the device ${source} of the host`,
    })
}

function judgeDeviceRules({ service: { device_cgroup_rules }, report }: ServiceCase): void {
  for (const [i, rule] of device_cgroup_rules.entries())
    report({
      code: 'device',
      at: `device_cgroup_rules/${i}`,
      subject: rule,
      detail: `may open devices of the host (${rule})`,
    })
}

function judgeReservations({ service: { deploy }, report }: ServiceCase): void {
  for (const i of (deploy?.resources?.reservations?.devices ?? []).keys())
    report({
      code: 'device',
      at: `deploy/resources/reservations/devices/${i}`,
      subject: `reservation ${i}`,
      detail: 'reserves devices of the host',
    })
}

const hookRule =
  (name: 'post_start' | 'pre_stop'): ServiceRule =>
  ({ service, report }) => {
    for (const [i, { privileged }] of service[name].entries())
      if (privileged === true)
        report({
          code: 'privileged',
          at: `${name}/${i}/privileged`,
          subject: name,
          detail: `runs its ${name} command privileged`,
        })
  }

/** Drivers of Docker itself that keep the log on this host. */
const ownLogDrivers: ReadonlySet<string> = new Set(['', 'json-file', 'local', 'journald', 'none'])

function judgeLogging({ service: { logging }, report }: ServiceCase): void {
  const driver = logging?.driver ?? ''
  if (!ownLogDrivers.has(driver))
    report({
      code: 'foreign_driver',
      at: 'logging/driver',
      subject: driver,
      detail: `has the daemon send its log elsewhere by the driver ${driver}`,
    })
}

export const powerRules = {
  cap_add: judgeCapabilities,
  security_opt: judgeSecurity,
  sysctls: judgeSysctls,
  annotations: judgeAnnotations,
  devices: judgeDevices,
  device_cgroup_rules: judgeDeviceRules,
  post_start: hookRule('post_start'),
  pre_stop: hookRule('pre_stop'),
} satisfies Partial<Record<JudgedKey<'service'>, ServiceRule>>

export const loggingRules: Record<JudgedKey<'logging'>, ServiceRule> = { driver: judgeLogging }

export const reservationRules: Record<JudgedKey<'reservations'>, ServiceRule> = {
  devices: judgeReservations,
}
