// Who holds the ship lock of each repository: how HQ knows that a ship of a terminal runs.
import { activeShipOf, type ActiveShip } from '#ops/features/ship/index'
import { shipIsAlive } from './process.ts'
import { readShipRecord } from './records.ts'

export class LockHolders {
  readonly #home: string
  readonly #holders = new Map<string, ActiveShip | null>()

  constructor(home: string) {
    this.#home = home
  }

  /** Reads the lock now. */
  async probe(repository: string): Promise<void> {
    this.#holders.set(repository, await activeShipOf(repository))
  }

  /** As of the last probe. */
  of(repository: string): ActiveShip | null {
    return this.#holders.get(repository) ?? null
  }

  /** Did HQ start this ship? */
  isRecorded(id: string): boolean {
    return readShipRecord(this.#home, id) !== null
  }

  isRunning(repository: string, id: string): boolean {
    const record = readShipRecord(this.#home, id)
    return record ? shipIsAlive(record) : this.of(repository)?.run_id === id
  }
}
