import { readFile } from 'node:fs/promises'
import { Problem } from '#shared/errors'
import { projectState } from '#shared/result'
import { readJson } from '#ops/base/files/json-file'
import { fail, pass, skip, warn, type Finding } from '#ops/core/checks/check'
import type { DoctorContext } from '#ops/core/checks/context'
import type { HostCheck } from '#ops/core/checks/host-check'
import { cloneOf, hasClone } from '../facts/clone.ts'
import { spanText } from '../facts/text.ts'

export const clock: HostCheck = {
  name: 'clock',
  title: 'Clock',
  description: 'The time is after the last deploy and after the commit that is checked out.',
  remedies: ['set_clock'],
  run: async (context) =>
    judgeClock({
      now: Date.now() / 1000,
      lastDeploy: lastDeployTime(context),
      head: hasClone(context) ? ((await cloneOf(context)).head?.committed ?? null) : null,
      hardware: await hardwareClock(),
    }),
}

/** Differences that are not a fault, in seconds: of this clock with itself, and of two clocks. */
const sameClockTolerance = 2
const otherClockTolerance = 300
const day = 86_400
const quarterHour = 900

export interface ClockFacts {
  /** All in seconds since 1970. */
  readonly now: number
  /** The last green deploy, by the clock of this host. */
  readonly lastDeploy: number | null
  /** Commit date of HEAD, by the clock of another machine. */
  readonly head: number | null
  /** The hardware clock, where there is one. */
  readonly hardware: number | null
}

const iso = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000', '')

/** Is the time plausible? A clock that was set back makes new runs appear older than old ones. */
export function judgeClock({ now, lastDeploy, head, hardware }: ClockFacts): Finding {
  if (lastDeploy !== null && now < lastDeploy - sameClockTolerance)
    return fail(
      `It is ${iso(now)} here, ${spanText(lastDeploy - now)} before the last deploy, ` +
        `${iso(lastDeploy)}: the clock was set back.`,
      'set_clock',
    )
  if (head !== null && now < head - otherClockTolerance) {
    const gap = `${spanText(head - now)} before HEAD was committed, ${iso(head)}`
    const detail = `It is ${iso(now)} here, ${gap}: this clock is slow, or the laptop's is fast.`
    return head - now >= day ? fail(detail, 'set_clock') : warn(detail, 'set_clock')
  }
  // A hardware clock in local time differs by whole quarters of an hour. That is not a fault.
  const off = hardware === null ? 0 : Math.abs(now - hardware)
  const nearest = Math.abs(off - Math.round(off / quarterHour) * quarterHour)
  if (hardware !== null && off > otherClockTolerance && (nearest > 5 || off > day))
    return warn(
      `It is ${iso(now)} here, ${spanText(off)} from the hardware clock, ${iso(hardware)}.`,
      'set_clock',
    )
  const beside = [
    lastDeploy === null ? null : `last deploy ${iso(lastDeploy)}`,
    head === null ? null : `HEAD ${iso(head)}`,
    hardware === null ? null : `hardware clock ${spanText(off)} off`,
  ].filter((each) => each !== null)
  return beside.length > 0
    ? pass(`${iso(now)}; ${beside.join(', ')}`)
    : skip(`${iso(now)}; there is no deploy, commit or hardware clock to compare it with.`)
}

/** Null when no deploy was green, or when the state cannot be read: project_state reports that. */
function lastDeployTime({ paths }: DoctorContext): number | null {
  try {
    const state = readJson(paths.projectState, projectState, 'state_invalid')
    return state ? Date.parse(state.last_deploy_timestamp) / 1000 : null
  } catch (error) {
    if (error instanceof Problem) return null
    throw error
  }
}

async function hardwareClock(): Promise<number | null> {
  try {
    const text = (await readFile('/sys/class/rtc/rtc0/since_epoch', 'utf8')).trim()
    return /^\d+$/.test(text) ? Number(text) : null
  } catch {
    return null // a virtual machine or container may have none, or not show it
  }
}
