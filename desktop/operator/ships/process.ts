// Starts and ends the process of a ship.
import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { Writable } from 'node:stream'
import { Problem } from '#shared/errors'
import type { Environment } from '#ops/base/env'
import {
  bootId,
  endTree,
  identify,
  isAlive,
  requestEnd,
  signalProcess,
} from '#ops/base/process/process-tree'
import { installRoot, programArgv } from '#ops/base/process/program'
import type { ActiveShip } from '#ops/features/ship/index'
import {
  outputPath,
  prepareRecords,
  readShipOutput,
  writeShipRecord,
  type ShipRecord,
} from './records.ts'

/** A cancelled ship gets this long to end its own commands and write its result, in milliseconds. */
const endWaitMs = 15_000

/** Variables that concern HQ only and must not reach the commands of a repository. */
const withheld = [
  'OPENCLAW_ADMIN_TOKEN',
  'OPENCLAW_EVENTS_FD',
  'OPENCLAW_DEPLOY_RUN_ID',
  'ELECTRON_RUN_AS_NODE',
  'NODE_OPTIONS',
  'OPENCLAW_SHIP_KEY_FD',
]

export interface ShipStart {
  readonly home: string
  readonly repository: string
  readonly id: string
  /** The operator's own environment; `withheld` is left out of it. */
  readonly env: Environment
  /** Most repairs of failing tests or a refused review. */
  readonly repairs: number
  /** Private half of the ship key when it is in the keystore. It is passed on a descriptor only. */
  readonly key: string | null
}

export const shipIsAlive = (record: ShipRecord): boolean => isAlive(record)

/**
 * Starts `hq ship` in a separate session, so that it outlives HQ. Its output goes to a file, never to a pipe of HQ.
 * @throws {Problem} `runner_start_failed`; nothing runs then
 */
export function startShip(start: ShipStart): ShipRecord {
  const { home, repository, id } = start
  prepareRecords(home)
  const [program, ...args] = programArgv('hq', shipArguments(start))
  const output = openSync(outputPath(home, id), 'a', 0o600)
  try {
    const child = spawn(program, args, {
      cwd: repository,
      detached: true,
      stdio: ['ignore', 'ignore', output, start.key === null ? 'ignore' : 'pipe'],
      env: environmentOf(start),
    })
    child.once('error', () => undefined) // it did not start: then it has no pid, and the caller gets a Problem
    child.unref()
    passKey(child, start.key)
    const identity = child.pid === undefined ? null : identify(child.pid)
    if (!identity) {
      const why = readShipOutput(home, id) || `${program} does not run`
      throw new Problem(
        'runner_start_failed',
        `The ship could not be started: ${why}. Nothing was changed.`,
      )
    }
    const record: ShipRecord = {
      schema_version: 1,
      run_id: id,
      repository,
      ...identity,
      boot_id: bootId(),
      started_at: new Date().toISOString(),
    }
    writeShipRecord(home, record)
    return record
  } finally {
    closeSync(output)
  }
}

const shipArguments = ({ repository, id, repairs }: ShipStart): string[] => [
  'ship',
  '--repo',
  repository,
  '--run-id',
  id,
  '--json',
  ...(repairs > 0 ? ['--until-green', String(repairs)] : []),
]

const environmentOf = ({ home, id, env, key }: ShipStart): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(env).filter(([name]) => !withheld.includes(name))),
  ...(key === null ? {} : { OPENCLAW_SHIP_KEY_FD: '3' }),
  OPENCLAW_HQ_HOME: home,
  OPENCLAW_HQ_INSTALL: installRoot(),
  OPENCLAW_RUN_ID: id,
})

/** The key is shorter than what a pipe holds: all of it is there before the child reads. */
function passKey(child: ChildProcess, key: string | null): void {
  const pipe = child.stdio[3]
  if (key === null || !(pipe instanceof Writable)) return
  pipe.once('error', () => undefined) // it ended before it read: then it has no result, and HQ reports that
  pipe.end(key)
}

/**
 * Ends a ship that was started at a terminal. Its group may hold the terminal's shell, so only its own process and what
 * it started are ended.
 * @throws {Problem} `not_running` for a ship of an older HQ, whose process is not known
 */
export async function endTerminalShip({ run_id, process: identity }: ActiveShip): Promise<void> {
  if (identity === null)
    throw new Problem(
      'not_running',
      'This ship was started at a terminal by an older HQ and goes on; end it there.',
    )
  await requestEnd(identity, endWaitMs)
  if (isAlive(identity)) signalProcess(identity.pid, 'SIGKILL')
  refuseLeft(await endTree({ marker: `OPENCLAW_RUN_ID=${run_id}` }))
}

/** Requests the ship to end, so that it writes its result; then ends whatever is left of its tree. */
export async function endShip(record: ShipRecord): Promise<void> {
  await requestEnd(record, endWaitMs)
  const marker = `OPENCLAW_RUN_ID=${record.run_id}`
  refuseLeft(await endTree(isAlive(record) ? { pgid: record.pgid, marker } : { marker }))
}

function refuseLeft(left: readonly number[]): void {
  if (left.length > 0)
    throw new Problem(
      'internal_error',
      `Processes ${left.join(', ')} of the ship cannot be ended: a system call blocks them.`,
    )
}
