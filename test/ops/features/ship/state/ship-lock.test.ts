import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { activeShip, takeShipLock } from '#ops/features/ship/state/ship-lock'
import { newRunId } from '#shared/ids'
import { makeShipRepo, type ShipRepo } from '../../../../support/ship-repo.ts'

let sample: ShipRepo
beforeAll(() => {
  sample = makeShipRepo('http://127.0.0.1:9/v1')
})
afterAll(() => sample.remove())

it('a ship is not kept from its lock by somebody who only looks at it at that moment, as HQ does every second', async () => {
  const [commit, id] = [sample.git('rev-parse', 'HEAD'), newRunId()]
  ;(await takeShipLock(sample.repo, newRunId(), commit)).release()
  // What `isLocked` does, held in its middle.
  const look = new DatabaseSync(join(sample.repo, '.git', 'openclaw-ship.lock'), { readOnly: true })
  look.exec('BEGIN')
  look.prepare('SELECT count(*) FROM sqlite_master').get()
  setTimeout(() => {
    look.close()
  }, 250)
  const lock = await takeShipLock(sample.repo, id, commit)
  expect(await activeShip(sample.repo)).toBe(id)
  await expect(takeShipLock(sample.repo, newRunId(), commit)).rejects.toMatchObject({
    errorClass: 'ship_lock_held',
    message: expect.stringContaining(id) as string,
  })
  lock.release()
  expect(await activeShip(sample.repo)).toBeNull()
})
