import { hostTool } from '#ops/base/process/host-tool'
import { fail, pass, skip, warn, type Finding } from '#ops/core/checks/check'
import type { HostCheck } from '#ops/core/checks/host-check'

/** The kernel itself says whether its clock is synchronised (adjtimex); timedatectl prints it. */
export const clockSync: HostCheck = {
  name: 'clock_sync',
  title: 'Clock synchronisation',
  description: 'A time service keeps the clock of the kernel synchronised.',
  remedies: ['set_clock'],
  run: async (_context, signal) => {
    const [container, shown] = await Promise.all([
      hostTool(['systemd-detect-virt', '--container'], signal),
      hostTool(['timedatectl', 'show', '--property=NTP', '--property=NTPSynchronized'], signal),
    ])
    // Exit 1: this is not a container.
    if (container !== null && container.exitCode === 0)
      return skip(
        `This host is a container (${container.stdout.trim()}): the machine below it keeps its clock right.`,
      )
    if (shown === null)
      return skip(
        'timedatectl is not installed, so it is not known whether the clock is synchronised.',
      )
    if (shown.exitCode !== 0)
      return skip(
        `timedatectl failed (${shown.complaint}), so it is not known whether the clock is synchronised.`,
      )
    return judgeSync(shown.stdout)
  },
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
