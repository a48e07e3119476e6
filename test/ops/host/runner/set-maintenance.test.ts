import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { newRunId } from '#shared/ids'
import { personsMaintenance } from '#shared/maintenance'
import { withLock } from '#ops/base/files/lock'
import { maintenanceLockFile } from '#ops/core/host-state/locks'
import { readMaintenance, turnMaintenanceOn } from '#ops/core/host-state/maintenance'
import { setMaintenance } from '#ops/host/runner/set-maintenance'
import { testHost, until, type TestHost } from '../../../support/hostd.ts'

let host: TestHost
let stalled: ChildProcess | undefined
beforeEach(() => {
  host = testHost()
})
afterEach(async () => {
  stalled?.kill('SIGKILL')
  stalled = undefined
  await host.remove()
})

const person = { set: 'on', reason: 'new disk', actor: 'me@example.com' } as const
const deployHolds = async (): Promise<void> => {
  await turnMaintenanceOn(host.paths, { deployRunId: newRunId(), reason: 'deploy' })
}

/**
 * A program of its own calls `change` of the maintenance file, and stalls once it has read the file and is about to
 * write or remove it, until the test lets it go on.
 */
async function stall(change: string): Promise<() => Promise<number>> {
  const [reached, goOn] = [join(host.dir, 'reached'), join(host.dir, 'go-on')]
  const program = `
    import fs from 'node:fs'
    import { syncBuiltinESMExports } from 'node:module'
    for (const name of ['renameSync', 'rmSync']) {
      const real = fs[name]
      fs[name] = (...args) => {
        if (args.includes(process.env.FILE)) {
          fs.writeFileSync(${JSON.stringify(reached)}, '')
          const pause = new Int32Array(new SharedArrayBuffer(4))
          while (!fs.existsSync(${JSON.stringify(goOn)})) Atomics.wait(pause, 0, 0, 10)
        }
        return real(...args)
      }
    }
    syncBuiltinESMExports()
    const maintenance = await import('#ops/core/host-state/maintenance')
    await maintenance.${change}`
  stalled = spawn(process.execPath, ['--input-type=module', '-e', program], {
    env: { ...host.env, FILE: host.paths.maintenance, PATHS: JSON.stringify(host.paths) },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const ended = once(stalled, 'exit')
  await until('the change that stalls', () => existsSync(reached))
  return async () => {
    writeFileSync(goOn, '')
    return (await ended)[0] as number
  }
}

describe('G7 a person’s hold', () => {
  it.each([
    [
      'turns it on',
      'off',
      `turnMaintenanceOn(JSON.parse(process.env.PATHS), { deployRunId: '${newRunId()}', reason: 'deploy' })`,
    ],
    ['ends it', 'on', 'endDeployMaintenance(JSON.parse(process.env.PATHS))'],
    ['clears it', 'on', 'turnMaintenanceOff(JSON.parse(process.env.PATHS))'],
  ])('stays when a program %s and stalls before it writes', async (_what, before, change) => {
    if (before === 'on') await deployHolds()
    const goOn = await stall(change)
    const put = setMaintenance(host.paths, person)
    expect(
      await Promise.race([put, new Promise((resolve) => setTimeout(resolve, 600, 'waits'))]),
    ).toBe('waits')
    expect(await goOn()).toBe(0)
    expect(await put).toBe('Maintenance mode is on.')
    expect(personsMaintenance(readMaintenance(host.paths))).toMatchObject({ by: person.actor })
  })

  it('is refused, not promised, when the file is not free in time', async () => {
    await deployHolds()
    const before = readFileSync(host.paths.maintenance, 'utf8')
    await withLock(
      maintenanceLockFile(host.paths),
      { waitMs: 0, busy: () => new Error('held') },
      async () => {
        await expect(setMaintenance(host.paths, person)).rejects.toMatchObject({
          errorClass: 'maintenance_not_written',
          message: expect.stringMatching(
            /^Maintenance mode was not changed: .* is as it was\.$/,
          ) as string,
        })
      },
    )
    expect(readFileSync(host.paths.maintenance, 'utf8')).toBe(before)
  })

  it('is refused with its class when the lock cannot be made', async () => {
    writeFileSync(host.paths.locks.replace(/\/locks$/, ''), '')
    await expect(setMaintenance(host.paths, person)).rejects.toMatchObject({
      errorClass: 'maintenance_not_written',
      message: expect.stringContaining('its lock cannot be taken') as string,
    })
  })
})
