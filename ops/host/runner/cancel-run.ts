import { Problem } from '#shared/errors'
import type { RunFile } from '#shared/run'
import { writeDocument } from '#ops/base/redact/write-document'
import type { HostPaths } from '#ops/base/paths/paths'
import { bootId, endTree, isAlive, requestEnd } from '#ops/base/process/process-tree'
import { withLock } from '#ops/base/files/lock'
import { runLockFile } from '#ops/core/host-state/locks'
import { recordedTree } from './run-processes.ts'
import { failDocument } from '#ops/core/pipeline/documents'
import { readRunFile, readRunResult, runResultFile } from './run-files.ts'
import { stopUnit } from './systemd-unit.ts'

/** The runner gets this long to end its tree and write its result, milliseconds; then everything is killed. */
const patienceMs = 10_000
const killGraceMs = 200

/**
 * Cancels a run: signals its runner, and when that does not end, ends everything that belongs to the run.
 * @returns one sentence for a person
 * @throws {Problem} `not_running` when there is nothing to cancel; `internal_error` when processes would not die
 */
export async function cancelRun(paths: HostPaths, id: string): Promise<string> {
  const record = readRunFile(paths, id)
  if (record === null) throw new Problem('not_running', `Run ${id} has not started on this host.`)
  if (readRunResult(paths, id) !== null)
    throw new Problem('not_running', `Run ${id} has ended already.`)
  if (!isAlive(record)) {
    await stopRest(record)
    throw new Problem('not_running', `The runner of ${id} is gone already; hostd closes the run.`)
  }
  await requestEnd(record, patienceMs)
  if (isAlive(record)) await kill(record)
  await stopRest(record)
  return await recordCancel(paths, record)
}

/** Nothing of a unit may be left, whatever its processes did to leave the run's group and environment. */
async function stopRest({ unit, boot_id }: RunFile): Promise<void> {
  if (unit !== null && boot_id === bootId()) await stopUnit(unit)
}

async function kill(record: RunFile): Promise<void> {
  const tree = recordedTree(record)
  const left = tree === null ? [] : await endTree(tree, killGraceMs)
  if (left.length > 0)
    throw new Problem(
      'internal_error',
      `Processes of ${record.run_id} did not end: ${left.join(', ')}.`,
    )
}

/** A runner that was killed could not write its result: it is written here, under the run's own lock. */
async function recordCancel(paths: HostPaths, record: RunFile): Promise<string> {
  const busy = (): Problem =>
    new Problem('internal_error', `The runner of ${record.run_id} still holds its lock.`)
  return await withLock(runLockFile(paths, record.run_id), { waitMs: 2000, busy }, async () => {
    const result = readRunResult(paths, record.run_id)
    if (result !== null)
      return result.error_class === 'cancelled'
        ? 'The run was cancelled.'
        : `The run had ended with ${result.overall} before it could be cancelled.`
    await kill(record)
    writeDocument(
      runResultFile(paths, record.run_id),
      failDocument(record, {
        errorClass: 'cancelled',
        message: 'The run was cancelled; its runner did not end in time and was killed.',
      }),
    )
    return 'The run was cancelled; its runner had to be killed.'
  })
}
