// Removes the services of a host. Its data stays.
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '#shared/errors'
import type { HostPaths } from '#ops/base/paths/paths'
import { applyDue, type Change } from '#ops/platform/accounts/change'
import { runHostProgram, requireHostProgram } from '#ops/base/process/host-program'
import { unpublish } from './publish.ts'
import { requireSystemdRoot } from './preconditions.ts'
import { allUnits, unitMark } from '#ops/host/install/units/all'
import { unitFolder } from '#ops/host/install/units/unit-settings'

/** Units of the runs that are under way. */
async function activeRuns(): Promise<string[]> {
  const listed = await requireHostProgram([
    'systemctl',
    'list-units',
    '--plain',
    '--no-legend',
    '--no-pager',
    '--state=active,activating',
    'openclaw-runner@*.service',
  ])
  return listed
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '')
    .filter((name) => name !== '')
}

/**
 * Removes the services. Data stays: settings, secrets, state, releases, runs and proofs, and the accounts that own
 * them.
 * @returns what was changed; nothing when nothing was installed
 * @throws {Problem} `install_refused` while a run is under way; `install_failed`
 */
export async function uninstallHostd({
  paths,
  port,
  say,
  note,
}: {
  paths: HostPaths
  port: number
  say: (did: string) => void
  note: (why: string) => void
}): Promise<readonly Change[]> {
  requireSystemdRoot()
  const names = Object.keys(allUnits({ paths, port })).filter((name) => {
    const path = join(unitFolder, name)
    return existsSync(path) && readFileSync(path, 'utf8').startsWith(unitMark)
  })
  const running = names.length === 0 ? [] : await activeRuns()
  if (running.length > 0)
    throw new Problem(
      'install_refused',
      `A run is under way (${running.join(', ')}). Nothing was changed.`,
    )
  // While hostd still serves, so that nobody meets a name that leads nowhere.
  const taken = await unpublish(paths, { say, note })
  // Timers and sockets first, so that nothing starts what is being stopped.
  const inOrder = names.toSorted(
    (a, b) => Number(a.endsWith('.service')) - Number(b.endsWith('.service')),
  )
  const done = await applyDue(
    inOrder.map((name) => ({
      did: `removed ${name}`,
      due: () => true,
      apply: async () => {
        if (!name.includes('@'))
          await requireHostProgram(['systemctl', 'disable', '--now', '--quiet', name])
        rmSync(join(unitFolder, name), { force: true })
      },
    })),
    say,
  )
  if (done.length > 0) {
    await requireHostProgram(['systemctl', 'daemon-reload'])
    await runHostProgram(['systemctl', 'reset-failed', 'openclaw-*'])
  }
  return [...taken, ...done]
}
