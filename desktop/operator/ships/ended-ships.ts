// The results of ships that have ended, also of those that left none.
import { Problem } from '#shared/errors'
import type { ShipResult } from '#shared/result'
import { hasResult, readShipResult } from './folder.ts'
import { interruptedResult } from './interrupted.ts'
import { readShipOutput, readShipRecord } from './records.ts'

export class EndedShips {
  readonly #home: string
  readonly #results = new Map<string, ShipResult>()

  constructor(home: string) {
    this.#home = home
  }

  has(id: string): boolean {
    return this.#results.has(id)
  }

  /** @param isNewest no ship of the repository is newer */
  async resultOf(repository: string, id: string, isNewest: boolean): Promise<ShipResult> {
    const known = this.#results.get(id)
    if (known) return known
    const result = await this.#read(repository, id)
    // A ship of a terminal that has just begun appears as a killed one; that is not remembered.
    if (hasResult(repository, id) || readShipRecord(this.#home, id) !== null || !isNewest)
      this.#results.set(id, result)
    return result
  }

  async #read(repository: string, id: string): Promise<ShipResult> {
    const detail =
      readShipOutput(this.#home, id) || 'The process of this ship ended before it was done.'
    try {
      return (
        readShipResult(repository, id) ??
        (await interruptedResult(repository, id, { errorClass: 'interrupted', detail }))
      )
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      return interruptedResult(repository, id, {
        errorClass: 'action_no_result',
        detail: error.message,
      })
    }
  }
}
