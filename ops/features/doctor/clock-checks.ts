import { readFile } from 'node:fs/promises'
import { Problem } from '#shared/errors'
import { projectState } from '#shared/result'
import { hostTool } from '#ops/base/process/host-tool'
import { readJson } from '#ops/base/files/json-file'
import { fail, pass, skip, warn, type Check, type Finding } from '#ops/core/checks/check'
import { cloneOf, hasClone } from './clone.ts'
import type { DoctorContext } from '#ops/core/checks/context'

/** Differences that mean nothing, in seconds: of this host with itself, and of two clocks. */
const ownTolerance = 2
const otherTolerance = 300
const day = 86_400
const quarterHour = 900

export interface ClockFacts {
  /** All in seconds since 1970. */
  readonly now: number
  /** The last green deploy, by this very clock. */
  readonly lastDeploy: number | null
  /** Commit date of HEAD: another machine's clock. */
  readonly head: number | null
  /** The hardware clock, where there is one. */
  readonly hardware: number | null
}

const iso = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000', '')
const span = (seconds: number): string =>
  seconds < 120
    ? `${Math.round(seconds)} s`
    : seconds < 2 * day
      ? `${Math.round(seconds / 60)} min`
      : `${Math.round(seconds / day)} days`

/** Can it be as late as the clock says? A clock that went back makes new runs older than old ones. */
export function judgeClock({ now, lastDeploy, head, hardware }: ClockFacts): Finding {
  if (lastDeploy !== null && now < lastDeploy - ownTolerance)
    return fail(
      `It is ${iso(now)} here, ${span(lastDeploy - now)} before the last deploy, ${iso(lastDeploy)}: the clock went back.`,
      'set_clock',
    )
  if (head !== null && now < head - otherTolerance) {
    const detail = `It is ${iso(now)} here, ${span(head - now)} before HEAD was committed, ${iso(head)}: this clock is late, or the laptop's is early.`
    return head - now >= day ? fail(detail, 'set_clock') : warn(detail, 'set_clock')
  }
  // A hardware clock in local time is off by whole quarters of an hour, and says nothing.
  const off = hardware === null ? 0 : Math.abs(now - hardware)
  const nearest = Math.abs(off - Math.round(off / quarterHour) * quarterHour)
  if (hardware !== null && off > otherTolerance && (nearest > 5 || off > day))
    return warn(
      `It is ${iso(now)} here, ${span(off)} from the hardware clock, ${iso(hardware)}.`,
      'set_clock',
    )
  const beside = [
    lastDeploy === null ? null : `last deploy ${iso(lastDeploy)}`,
    head === null ? null : `HEAD ${iso(head)}`,
    hardware === null ? null : `hardware clock ${span(off)} off`,
  ].filter((each) => each !== null)
  return beside.length > 0
    ? pass(`${iso(now)}; ${beside.join(', ')}`)
    : skip(`${iso(now)}; there is no deploy, commit or hardware clock to hold it against.`)
}

/** By this very clock; null when there was none or the state cannot be read, which is a finding of its own. */
function lastDeploy({ paths }: DoctorContext): number | null {
  try {
    const state = readJson(paths.projectState, projectState, 'state_invalid')
    return state ? Date.parse(state.last_deploy_timestamp) / 1000 : null
  } catch (error) {
    if (error instanceof Problem) return null
    throw error
  }
}

async function plausible(context: DoctorContext): Promise<Finding> {
  const committed = hasClone(context) ? ((await cloneOf(context)).head?.committed ?? null) : null
  return judgeClock({
    now: Date.now() / 1000,
    lastDeploy: lastDeploy(context),
    head: committed,
    hardware: await hardwareClock(),
  })
}

async function hardwareClock(): Promise<number | null> {
  try {
    const text = (await readFile('/sys/class/rtc/rtc0/since_epoch', 'utf8')).trim()
    return /^\d+$/.test(text) ? Number(text) : null
  } catch {
    return null // a virtual machine or container may have none, or not show it
  }
}

/** Is the kernel's clock kept right by something? The kernel itself says so (adjtimex), through timedatectl. */
async function synchronised(signal: AbortSignal): Promise<Finding> {
  const [container, shown] = await Promise.all([
    hostTool(['systemd-detect-virt', '--container'], signal),
    hostTool(['timedatectl', 'show', '--property=NTP', '--property=NTPSynchronized'], signal),
  ])
  // Exit 1: in no container.
  if (container !== null && container.exitCode === 0)
    return skip(
      `This host is a container (${container.stdout.trim()}): its clock is that of the machine below it, and is kept there.`,
    )
  if (shown === null)
    return skip('timedatectl is not installed, so whether the clock is synchronised is not known.')
  if (shown.exitCode !== 0)
    return skip(
      `timedatectl does not answer (${shown.complaint}), so whether the clock is synchronised is not known.`,
    )
  return judgeSync(shown.stdout)
}

/** @param shown what `timedatectl show` printed */
export function judgeSync(shown: string): Finding {
  const values = new Map(
    shown
      .split('\n')
      .map(
        (line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const,
      ),
  )
  const [ntp, synced] = [values.get('NTP'), values.get('NTPSynchronized')]
  if (synced === 'yes')
    return pass(
      `The kernel's clock is synchronised${ntp === 'yes' ? ' by the time service of systemd' : ''}.`,
    )
  if (synced !== 'no')
    return fail('timedatectl does not say whether the clock is synchronised.', 'set_clock')
  return warn(
    ntp === 'yes'
      ? "The time service is on, but the kernel's clock is not synchronised: no time server has answered."
      : "The kernel's clock is not synchronised, and no time service of systemd is on.",
    'set_clock',
  )
}

/** The order of runs, the age of maintenance and the dates of proof all rest on the clock. */
export const clockChecks = (context: DoctorContext): Check[] => [
  { name: 'clock', remedy: 'set_clock', run: () => plausible(context) },
  { name: 'clock_sync', remedy: 'set_clock', run: synchronised },
]
