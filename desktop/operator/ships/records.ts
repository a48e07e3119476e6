// Which process runs a ship that HQ started, and what it said outside its log.
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { errorClasses } from '#shared/errors'
import { runId, timestamp } from '#shared/ids'
import { readJson, writeJson } from '#ops/base/files/json-file'
import { runFolder } from '#ops/base/paths/paths'
import { readTextHead } from '../base/text-file.ts'

/** Enough to find the process again after HQ was restarted. */
const shipRecord = z.strictObject({
  schema_version: z.literal(1),
  run_id: runId,
  repository: z.string(),
  pid: z.number().int().positive(),
  pgid: z.number().int().positive(),
  start_time: z.string(),
  boot_id: z.string(),
  started_at: timestamp,
})
export type ShipRecord = z.infer<typeof shipRecord>

/** How many records are kept. */
const maxRecords = 50

const folderOf = (home: string): string => join(home, 'ships')
const recordPath = (home: string, id: string): string => `${runFolder(folderOf(home), id)}.json`

/** File of what a ship says outside its log. */
export const outputPath = (home: string, id: string): string =>
  `${runFolder(folderOf(home), id)}.log`

/** Null when HQ did not start this ship. @throws {Problem} `internal_error` when the record is damaged */
export const readShipRecord = (home: string, id: string): ShipRecord | null =>
  readJson(recordPath(home, id), shipRecord, 'internal_error') ?? null

export const writeShipRecord = (home: string, record: ShipRecord): void =>
  writeJson(recordPath(home, record.run_id), record, { mode: 0o600 })

/** Ships HQ started, newest first. */
export function recordedShips(home: string): string[] {
  if (!existsSync(folderOf(home))) return []
  return readdirSync(folderOf(home))
    .filter((name) => name.endsWith('.json') && !name.startsWith('.'))
    .map((name) => name.slice(0, -5))
    .toSorted()
    .toReversed()
}

/** Makes the folder of the records and removes old ones. */
export function prepareRecords(home: string): void {
  for (const id of recordedShips(home).slice(maxRecords)) {
    rmSync(recordPath(home, id), { force: true })
    rmSync(outputPath(home, id), { force: true })
  }
  mkdirSync(folderOf(home), { recursive: true, mode: 0o700 })
}

/** What a ship said outside its log, for a person: the line that names an error class, else the last one. */
export function readShipOutput(home: string, id: string): string {
  if (!existsSync(outputPath(home, id))) return ''
  const lines = readTextHead(outputPath(home, id), 64 * 1024)
    .text.trim()
    .split('\n')
  const namesClass = (line: string): boolean =>
    (errorClasses as readonly string[]).includes(line.slice(0, line.indexOf(':')))
  return lines.find(namesClass) ?? lines.at(-1) ?? ''
}
