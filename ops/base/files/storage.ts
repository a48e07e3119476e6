import { writeAll } from './write-all.ts'
import { closeSync, existsSync, openSync, rmSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { Problem, toProblem } from '#shared/errors'

/**
 * What a deploy needs at least to go on, bytes: a folder that cannot take this much is full. More than the room that
 * hostd keeps for the ends of runs, which a full disk has just got back.
 */
const probeBytes = 2 * 1024 * 1024

/** @returns why the disk cannot take `probeBytes`; null also when the file cannot be written for another reason */
function probe(folder: string): Problem | null {
  const file = join(folder, `.probe-${randomBytes(6).toString('hex')}`)
  try {
    const fd = openSync(file, 'wx', 0o600)
    try {
      writeAll(fd, Buffer.alloc(probeBytes))
    } finally {
      closeSync(fd)
    }
    return null
  } catch (error) {
    const problem = toProblem(error)
    return problem.errorClass === 'disk_full' || problem.errorClass === 'storage_read_only'
      ? new Problem(problem.errorClass, `${folder}: ${problem.message}`, { cause: error })
      : null
  } finally {
    rmSync(file, { force: true })
  }
}

/**
 * A program that was started reports a full or read-only disk in its own text. Checks the folders themselves.
 * @param folders where the failed work writes; one that does not exist is left out
 * @returns the same failure by its cause, `disk_full` or `storage_read_only`, when one of them cannot be written;
 *   else `problem` itself
 */
export function byStorage(problem: Problem, folders: readonly string[]): Problem {
  if (
    problem.errorClass === 'disk_full' ||
    problem.errorClass === 'storage_read_only' ||
    problem.errorClass === 'cancelled'
  )
    return problem
  const cause = folders
    .filter((folder) => existsSync(folder))
    .map(probe)
    .find((found) => found !== null)
  return cause
    ? new Problem(
        cause.errorClass,
        `${cause.message}. It showed as ${problem.errorClass}: ${problem.message}`,
        { cause: problem, evidence: problem.evidence },
      )
    : problem
}
