import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, it } from 'vitest'
import { activeShip, takeShipLock } from '#ops/features/ship/state/ship-lock'
import { newRunId } from '#shared/ids'
import { shipFixture } from '../../../../support/ship-fixture.ts'

const at = shipFixture({ repositoryPer: 'file', provider: 'unreachable' })

it('a ship gets its lock although HQ probes it at that moment, as it does every second', async () => {
  const [commit, id] = [at.sample.git('rev-parse', 'HEAD'), newRunId()]
  ;(await takeShipLock(at.sample.repo, newRunId(), commit)).release()
  // What `isLocked` does, held in its middle.
  const probe = new DatabaseSync(join(at.sample.repo, '.git', 'openclaw-ship.lock'), {
    readOnly: true,
  })
  probe.exec('BEGIN')
  probe.prepare('SELECT count(*) FROM sqlite_master').get()
  setTimeout(() => {
    probe.close()
  }, 250)
  const lock = await takeShipLock(at.sample.repo, id, commit)
  expect(await activeShip(at.sample.repo)).toBe(id)
  await expect(takeShipLock(at.sample.repo, newRunId(), commit)).rejects.toMatchObject({
    errorClass: 'ship_lock_held',
    message: expect.stringContaining(id) as string,
  })
  lock.release()
  expect(await activeShip(at.sample.repo)).toBeNull()
})
