// The services of a host: enabled, started, restarted, and probed.
import { z } from 'zod'
import { Problem } from '#shared/errors'
import { waitUntilOk } from '#ops/base/http/health'
import { httpRequest } from '#ops/base/http/request'
import { readMaintenance } from '#ops/core/host-state/maintenance'
import type { HostPaths } from '#ops/base/paths/paths'
import type { Change } from '#ops/platform/accounts/change'
import { runHostProgram, requireHostProgram } from '#ops/base/process/host-program'
import { enabledUnits } from '#ops/host/install/units/all'
import { journalOf } from '#ops/host/install/journal'

const isEnabled = async (unit: string): Promise<boolean> =>
  (await runHostProgram(['systemctl', 'is-enabled', unit])).stdout.trim() === 'enabled'
const isActive = async (unit: string): Promise<boolean> =>
  (await runHostProgram(['systemctl', 'is-active', unit])).exitCode === 0

/** A deploy stops the doctor timer under maintenance, and it stays stopped. */
const mayRun = (paths: HostPaths, unit: string): boolean =>
  unit !== 'openclaw-doctor.timer' || !readMaintenance(paths).on

/** Units that are enabled for the next boot, and started now. */
export const serviceChanges = (paths: HostPaths): Change[] =>
  enabledUnits.flatMap((unit): Change[] => [
    {
      did: `enabled ${unit}`,
      due: async () => !(await isEnabled(unit)),
      apply: async () => {
        await requireHostProgram(['systemctl', 'enable', '--quiet', unit])
      },
    },
    {
      did: `started ${unit}`,
      about: unit,
      due: async () => mayRun(paths, unit) && !(await isActive(unit)),
      apply: async () => {
        await requireHostProgram(['systemctl', 'start', unit])
      },
    },
  ])

/** A socket unit uses a new address only after a restart, and hostd must release the sockets first. */
export async function restartSockets(): Promise<void> {
  await runHostProgram(['systemctl', 'stop', 'openclaw-hostd.service'])
  for (const unit of ['openclaw-runner.socket', 'openclaw-hostd.socket'])
    await requireHostProgram(['systemctl', 'restart', unit])
}

export const restartHostd = async (): Promise<void> => {
  await requireHostProgram(['systemctl', 'restart', 'openclaw-hostd.service'])
}

/** The version that the running hostd reports; null when it is not healthy. */
export async function servedVersion(port: number): Promise<string | null> {
  try {
    const { status, text } = await httpRequest(`http://127.0.0.1:${port}/health`)
    const body = z
      .looseObject({ ok: z.literal(true), version: z.string() })
      .safeParse(JSON.parse(text))
    return status === 200 && body.success ? body.data.version : null
  } catch {
    return null // nothing listens, it does not answer in time, or its answer is not JSON
  }
}

/** @throws {Problem} `hostd_unhealthy` when hostd does not answer within half a minute, or as another version */
export async function requireHealth(port: number, version: string): Promise<void> {
  const why = await waitUntilOk(
    `http://127.0.0.1:${port}/health`,
    { commitField: 'version', commit: version },
    { seconds: 30, signal: new AbortController().signal, alive: () => true },
  )
  if (why === null) return
  throw new Problem(
    'hostd_unhealthy',
    `hostd was installed, but does not answer as ${version}: ${why}.`,
    { evidence: await journalOf('openclaw-hostd.service') },
  )
}
