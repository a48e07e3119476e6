import { hasCode } from '#shared/system-error'
import type { Environment } from '#ops/base/env'
import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { runId, timestamp } from '#shared/ids'
import { errorClasses, Problem } from '#shared/errors'
import { readJson, writeJson } from '#ops/base/files/json-file'
import { runFolder } from '#ops/base/paths/paths'
import { bootId, endTree, identify, isAlive } from '#ops/base/process/process-tree'
import { installRoot, programArgv } from '#ops/base/process/program'
import type { ActiveShip } from '#ops/features/ship/index'
import { readTextHead } from '../base/text-file.ts'

/** Which process runs a ship that HQ started: enough to find it again after HQ was restarted. */
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

const folderOf = (home: string): string => join(home, 'ships')
const recordPath = (home: string, id: string): string => `${runFolder(folderOf(home), id)}.json`
const outputPath = (home: string, id: string): string => `${runFolder(folderOf(home), id)}.log`
/** How many records are kept. */
const keep = 50
/** A cancelled ship gets this long to end its own commands and write its result, in milliseconds. */
const settleMs = 15_000

/** @returns null when HQ did not start this ship @throws {Problem} `internal_error` when the record is damaged */
export const readShipRecord = (home: string, id: string): ShipRecord | null =>
  readJson(recordPath(home, id), shipRecord, 'internal_error') ?? null

export const shipIsAlive = (record: ShipRecord): boolean => isAlive(record)

/** Ships HQ started, newest first. */
export function recordedShips(home: string): string[] {
  if (!existsSync(folderOf(home))) return []
  return readdirSync(folderOf(home))
    .filter((name) => name.endsWith('.json') && !name.startsWith('.'))
    .map((name) => name.slice(0, -5))
    .toSorted()
    .toReversed()
}

/** Variables that are HQ's own business and must not reach the commands of a repository. */
const withheld = [
  'OPENCLAW_ADMIN_TOKEN',
  'OPENCLAW_EVENTS_FD',
  'OPENCLAW_DEPLOY_RUN_ID',
  'ELECTRON_RUN_AS_NODE',
  'NODE_OPTIONS',
  'OPENCLAW_SHIP_KEY_FD',
]

/**
 * Starts `hq ship` in a session of its own, so that it outlives HQ. What it says goes to a file, never to a pipe of HQ.
 * @param repairs most repairs of failing tests or a refused review
 * @param env the operator's own environment; `withheld` is left out of it
 * @param key private half of the ship key, when it is in the keystore: handed over on a descriptor, never in arguments or environment
 * @throws {Problem} `runner_start_failed`; nothing runs then
 */
export function startShip(
  home: string,
  repository: string,
  id: string,
  env: Environment,
  repairs = 0,
  key: string | null = null,
): ShipRecord {
  prune(home)
  mkdirSync(folderOf(home), { recursive: true, mode: 0o700 })
  const [program, ...args] = programArgv('hq', [
    'ship',
    '--repo',
    repository,
    '--run-id',
    id,
    '--json',
    ...(repairs > 0 ? ['--until-green', String(repairs)] : []),
  ])
  const own = Object.fromEntries(Object.entries(env).filter(([name]) => !withheld.includes(name)))
  const output = openSync(outputPath(home, id), 'a', 0o600)
  try {
    const child = spawn(program, args, {
      cwd: repository,
      detached: true,
      stdio: ['ignore', 'ignore', output, key === null ? 'ignore' : 'pipe'],
      env: {
        ...own,
        ...(key === null ? {} : { OPENCLAW_SHIP_KEY_FD: '3' }),
        OPENCLAW_HQ_HOME: home,
        OPENCLAW_HQ_INSTALL: installRoot(),
        OPENCLAW_RUN_ID: id,
      },
    })
    child.once('error', () => undefined) // it could not be started: there is no pid then, and the caller is told below
    child.unref()
    hand(child, key)
    const identity = child.pid === undefined ? null : identify(child.pid)
    if (!identity)
      throw new Problem(
        'runner_start_failed',
        `The ship could not be started: ${readShipOutput(home, id) || `${program} does not run`}. Nothing was changed.`,
      )
    const record: ShipRecord = {
      schema_version: 1,
      run_id: id,
      repository,
      ...identity,
      boot_id: bootId(),
      started_at: new Date().toISOString(),
    }
    writeJson(recordPath(home, id), record, { mode: 0o600 })
    return record
  } finally {
    closeSync(output)
  }
}

/** Less than a pipe holds: it is all there before the child reads. */
function hand(child: ChildProcess, key: string | null): void {
  const pipe = child.stdio[3]
  if (key === null || !(pipe instanceof Writable)) return
  pipe.once('error', () => undefined) // it ended before it read: it has no result then, and that is said
  pipe.end(key)
}

/** What a ship said outside its log, for a person: the line that names an error class, else the last one. */
export function readShipOutput(home: string, id: string): string {
  if (!existsSync(outputPath(home, id))) return ''
  const lines = readTextHead(outputPath(home, id), 64 * 1024)
    .text.trim()
    .split('\n')
  return (
    lines.find((line) =>
      (errorClasses as readonly string[]).includes(line.slice(0, line.indexOf(':'))),
    ) ??
    lines.at(-1) ??
    ''
  )
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if (!hasCode(error, 'ESRCH')) throw error // it has just ended by itself
  }
}

/** Asks a ship to end, so that it writes its result. */
async function askToEnd(identity: {
  readonly pid: number
  readonly start_time: string
  readonly boot_id: string
}): Promise<void> {
  if (!isAlive(identity)) return
  signal(identity.pid, 'SIGTERM')
  for (const end = Date.now() + settleMs; isAlive(identity) && Date.now() < end;) await delay(50)
}

/** Ends a ship that was typed at a terminal. Its group may hold the terminal's shell, so only its own process and what it started are ended. */
export async function endTerminalShip({ run_id, process: identity }: ActiveShip): Promise<void> {
  if (identity === null)
    throw new Problem(
      'not_running',
      'This ship was started at a terminal by an older HQ and goes on; end it there.',
    )
  await askToEnd(identity)
  if (isAlive(identity)) signal(identity.pid, 'SIGKILL')
  refuseLeft(await endTree({ marker: `OPENCLAW_RUN_ID=${run_id}` }))
}

/** Asks the ship to end, so that it writes its result; then ends whatever of its tree is left. */
export async function endShip(record: ShipRecord): Promise<void> {
  await askToEnd(record)
  const marker = `OPENCLAW_RUN_ID=${record.run_id}`
  refuseLeft(await endTree(isAlive(record) ? { pgid: record.pgid, marker } : { marker }))
}

function refuseLeft(left: readonly number[]): void {
  if (left.length > 0)
    throw new Problem(
      'internal_error',
      `Processes ${left.join(', ')} of the ship cannot be ended; they wait for the system.`,
    )
}

function prune(home: string): void {
  for (const id of recordedShips(home).slice(keep)) {
    rmSync(recordPath(home, id), { force: true })
    rmSync(outputPath(home, id), { force: true })
  }
}
