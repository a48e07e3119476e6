// The proof of a ship in its repository: paths, result and files.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { bundlePath } from '#shared/bundle'
import { Problem } from '#shared/errors'
import { shipResult, type ShipResult } from '#shared/result'
import { readJson } from '#ops/base/files/json-file'
import { runFolder } from '#ops/base/paths/paths'
import { eventsFile, resultFile, shipsFolder } from '#ops/features/ship/index'

export { shipIds } from '#ops/features/ship/index'

/** Folder of one ship's proof. @throws {RangeError} for a bad run id */
export const shipFolder = (repository: string, id: string): string =>
  runFolder(shipsFolder(repository), id)
export const shipEvents = (repository: string, id: string): string =>
  join(shipFolder(repository, id), eventsFile)
export const hasResult = (repository: string, id: string): boolean =>
  existsSync(join(shipFolder(repository, id), resultFile))

/**
 * The result of a ship; null when it has not written one.
 * @throws {Problem} `action_no_result` when it cannot be read, or belongs to another run
 */
export function readShipResult(repository: string, id: string): ShipResult | null {
  const path = join(shipFolder(repository, id), resultFile)
  const result = readJson(path, shipResult, 'action_no_result') ?? null
  if (result && result.run_id !== id)
    throw new Problem(
      'action_no_result',
      `The folder of ${id} holds the result of ${result.run_id}.`,
    )
  return result
}

/** Result of one attempt of a ship with repairs; null when it is not there or cannot be read. */
export function readAttempt(repository: string, id: string, number: number): ShipResult | null {
  const path = join(shipFolder(repository, id), 'attempts', String(number), resultFile)
  try {
    return readJson(path, shipResult, 'action_no_result') ?? null
  } catch (error) {
    if (error instanceof Problem) return null
    throw error
  }
}

const maxFiles = 200

/** Files of a proof that may be shown or uploaded, relative to its folder. */
export const shipFiles = (repository: string, id: string): string[] =>
  listFiles(shipFolder(repository, id)).slice(0, maxFiles)

function listFiles(folder: string, prefix = ''): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true })
    .toSorted((a, b) => a.name.localeCompare(b.name))
    .flatMap((entry) => {
      const path = `${prefix}${entry.name}`
      if (!bundlePath.safeParse(path).success) return []
      if (entry.isDirectory()) return listFiles(join(folder, entry.name), `${path}/`)
      return entry.isFile() ? [path] : []
    })
}
