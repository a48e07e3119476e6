import { createHash } from 'node:crypto'
import {
  closeSync,
  constants,
  existsSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { z } from 'zod'
import { actionOf, type ActionId } from '#shared/actions'
import { toProblem } from '#shared/errors'
import type { EventBody } from '#shared/events'
import { runIdPattern, timestamp } from '#shared/ids'
import { tombstone as tombstoneSchema, tombstoneName, type Tombstone } from '#shared/proof'
import { readJson, writeJson, writeWhole } from '#ops/base/files/json-file'
import { signDocument } from '#ops/core/trust/signed-document'
import type { SigningKey } from '#ops/core/trust/signing-key'
import { tryLock } from '#ops/base/files/lock'
import { runFolder, type HostPaths } from '#ops/base/paths/paths'
import { documentText } from '#ops/core/proof/manifest-text'
import { proofKey } from '#ops/core/proof/proof-key'
import { hostProofPaths } from '#ops/base/paths/proof-paths'
import { describePass, prunableBundles, prunePass, type Prunable } from '#ops/core/proof/retention'
import { hostKinds } from '#ops/core/proof/verify-chain'
import { readHostSettings } from '#ops/core/config/settings-files'
import { readRunResult, runLogFile, runResultFile } from './run-files.ts'

/** `$OPENCLAW_STATE/retention.json`: when the last pass was, and whether it had more to do than one pass may. */
const lastPass = z.strictObject({ schema_version: z.literal(1), at: timestamp, more: z.boolean() })
const stateFile = ({ state }: Pick<HostPaths, 'state'>): string => join(state, 'retention.json')
/** Milliseconds between two passes that found nothing more to do. */
const everyMs = 6 * 3600 * 1000

/**
 * Deletes old logs of sealed bundles and of runs, after a run has ended and nothing waits for it any more.
 * Uploaded ships stay whole: only the laptop that sealed them can sign for what is missing. Never fails a run.
 *
 * @param say takes lines for the journal
 */
export async function retainAfter(
  paths: HostPaths,
  action: ActionId,
  say: (text: string) => void,
): Promise<void> {
  const now = new Date()
  if (actionOf(action).bundle === null) return
  const lock = tryLock(join(paths.locks, 'retention.lock'))
  if (lock === null) return // another run is at it
  try {
    const before = readJson(stateFile(paths), lastPass, 'state_invalid')
    if (before !== undefined && !before.more && now.getTime() - Date.parse(before.at) < everyMs)
      return
    const key = await proofKey(hostProofPaths(paths))
    const { found, keptRuns } = await prunableBundles(paths.artifacts, hostKinds, key)
    const pass = await prunePass(
      [...found, ...prunableRuns(paths, keptRuns, { key, now })],
      readHostSettings(paths).retention,
      now,
    )
    for (const line of describePass(pass)) say(line)
    writeJson(stateFile(paths), { schema_version: 1, at: now.toISOString(), more: pass.more })
  } catch (error) {
    const problem = toProblem(error)
    say(`Old logs were not deleted: ${problem.errorClass}: ${problem.message}`)
  } finally {
    lock.release()
  }
}

/** Who signs for what is deleted, and when. */
interface Signing {
  readonly key: SigningKey
  readonly now: Date
}

/** Logs of runs that have ended. @param kept runs whose bundle is kept whole */
function prunableRuns(paths: HostPaths, kept: ReadonlySet<string>, signing: Signing): Prunable[] {
  if (!existsSync(paths.runs)) return []
  const found: Prunable[] = []
  for (const runId of readdirSync(paths.runs).filter((name) => runIdPattern.test(name))) {
    const log = lstatSync(runLogFile(paths, runId), { throwIfNoEntry: false })
    if (log?.isFile() !== true) continue
    const record = join(runFolder(paths.runs, runId), tombstoneName)
    const gone = existsSync(record)
      ? readJson(record, tombstoneSchema, 'proof_broken')?.files[0]
      : undefined
    // With a record the log is the short one that replaced it, or the deletion was cut short after the record.
    if (gone !== undefined && gone.size !== log.size) continue
    if (!existsSync(runResultFile(paths, runId))) continue
    found.push({
      name: `run ${runId}`,
      runId,
      bytes: log.size,
      kept: kept.has(runId),
      prune: () => pruneRunLog(paths, runId, signing),
    })
  }
  return found
}

/**
 * Replaces a long log by a short one. The signed record of what was there is written first: a kill in between
 * leaves the log.
 * @throws {Problem} `action_no_result` when the run's result cannot be read: then its log is all there is of it
 */
function pruneRunLog(paths: HostPaths, runId: string, { key, now }: Signing): void {
  const result = readRunResult(paths, runId)
  if (result === null) return
  const path = runLogFile(paths, runId)
  const unsigned: Omit<Tombstone, 'signature'> = {
    type: 'openclaw.tombstone',
    schema_version: 1,
    run_id: runId,
    manifest_sha256: null,
    reason: 'retention',
    created_at: now.toISOString(),
    files: [{ path: basename(path), ...digestOf(path) }],
  }
  writeWhole(
    join(runFolder(paths.runs, runId), tombstoneName),
    documentText(signDocument('tombstone', unsigned, key)),
  )
  const events: EventBody[] = [
    {
      type: 'log',
      time: result.finished_at,
      step: null,
      stream: 'hq',
      text: `The log of this run was deleted by retention at ${now.toISOString()}; its result stays.`,
    },
    { type: 'run_finished', time: result.finished_at, result },
  ]
  writeWhole(
    path,
    events.map((event, at) => `${JSON.stringify({ seq: at + 1, ...event })}\n`).join(''),
  )
}

function digestOf(path: string): { size: number; sha256: string } {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    const hash = createHash('sha256')
    const buffer = Buffer.alloc(1024 * 1024)
    let size = 0
    for (let count = readSync(file, buffer); count > 0; count = readSync(file, buffer)) {
      hash.update(buffer.subarray(0, count))
      size += count
    }
    return { size, sha256: hash.digest('hex') }
  } finally {
    closeSync(file)
  }
}
