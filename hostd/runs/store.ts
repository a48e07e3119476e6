import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import type { ActionId, Lane } from '#shared/actions'
import { toProblem, type ErrorClass } from '#shared/errors'
import { run, type Run, type RunStatus } from '#shared/run'
import { messageOf } from '#shared/system-error'
import type { Log } from '../log/log.ts'

/** Kept in the file. With another number the index is dropped and built again, never migrated. */
const schemaVersion = 1

const schema = `
  CREATE TABLE runs (
    run_id TEXT PRIMARY KEY, action TEXT NOT NULL, lane TEXT NOT NULL, params TEXT NOT NULL,
    actor TEXT NOT NULL, deploy_run_id TEXT, status TEXT NOT NULL, requested_at TEXT NOT NULL,
    started_at TEXT, finished_at TEXT, error_class TEXT, step_failed TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX one_per_lane ON runs (lane) WHERE status IN ('queued', 'running');
  CREATE INDEX by_action ON runs (action, run_id);
  CREATE INDEX by_status ON runs (status, run_id);
  CREATE INDEX by_action_and_status ON runs (action, status, run_id);
  PRAGMA user_version = ${schemaVersion};
`

export interface RunsPage {
  readonly limit: number
  readonly cursor?: string
  readonly action?: ActionId
  readonly status?: RunStatus
}
export interface RunEnd {
  readonly status: RunStatus
  readonly finished_at: string
  readonly error_class: ErrorClass | null
  readonly step_failed: string | null
}

/** The index of runs. It is an index only: the folders of the runs are the truth. */
export interface Store {
  /** @returns the row, or the active run of its lane when that is taken: single-flight, for every caller */
  insert(row: Run): { inserted: true } | { inserted: false; active: Run }
  started(id: string, startedAt: string): void
  ended(id: string, end: RunEnd): void
  get(id: string): Run | null
  active(): Run[]
  /** Newest first; `limit + 1` rows tell whether there are more. */
  list(page: RunsPage): Run[]
  ids(): Set<string>
  /** All or nothing, and one disk flush for all. */
  inOneGo(work: () => void): void
  close(): void
}

function openFile(file: string): DatabaseSync {
  mkdirSync(dirname(file), { recursive: true })
  const db = new DatabaseSync(file)
  try {
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 2000')
    const tables = db.prepare('SELECT count(*) AS n FROM sqlite_master').get()?.['n']
    if (tables === 0) db.exec(schema)
    const version = db.prepare('PRAGMA user_version').get()?.['user_version']
    if (version !== schemaVersion)
      throw new Error(`schema version ${String(version)} instead of ${schemaVersion}`)
    const check = db.prepare('PRAGMA quick_check(1)').get()?.['quick_check']
    if (check !== 'ok') throw new Error(`damaged: ${String(check)}`)
    // An action or class that this hostd does not know, left by another release, would fail every answer that has it.
    for (const row of db
      .prepare('SELECT *, max(run_id) FROM runs GROUP BY action, lane, status, error_class')
      .all()) {
      const { 'max(run_id)': _newest, ...columns } = row
      toRun(columns)
    }
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** Removes the index with its side files. */
export function dropIndex(file: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal', '.reserve'])
    rmSync(`${file}${suffix}`, { force: true, recursive: true })
}

/** Where a full disk leaves room for the ends of runs: a follower must learn of the end. */
const reserveFile = (file: string): string => `${file}.reserve`
const reserveBytes = 1024 * 1024

/** Tried again at the start of every run. Only a full disk misses it, so its absence fails nothing. */
function keepReserve(file: string, log: Log): void {
  const path = reserveFile(file)
  try {
    if (statSync(path, { throwIfNoEntry: false })?.size === reserveBytes) return
    writeFileSync(path, Buffer.alloc(reserveBytes), { mode: 0o600 })
  } catch (error) {
    rmSync(path, { force: true })
    log('reserve_not_kept', { file: path, why: toProblem(error).message })
  }
}

function toRun(row: Record<string, unknown>): Run {
  return run.parse({ ...row, params: JSON.parse(String(row['params'])) as unknown })
}

/** Opens the index. One that is unreadable or of another version is dropped; the caller fills it from the folders. */
export function openStore(file: string, log: Log): Store {
  try {
    return new RunStore(openFile(file), file, log)
  } catch (error) {
    log('index_dropped', { file, why: messageOf(error) })
    dropIndex(file)
    return new RunStore(openFile(file), file, log)
  }
}

const columns = [
  'run_id',
  'action',
  'lane',
  'params',
  'actor',
  'deploy_run_id',
  'status',
  'requested_at',
  'started_at',
  'finished_at',
  'error_class',
  'step_failed',
] as const
const isActive = "status IN ('queued', 'running')"

const statementsOf = (db: DatabaseSync) => ({
  insert: db.prepare(
    `INSERT INTO runs (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
  ),
  started: db.prepare(
    "UPDATE runs SET status = 'running', started_at = ? WHERE run_id = ? AND status = 'queued'",
  ),
  ended: db.prepare(
    `UPDATE runs SET status = ?, finished_at = ?, error_class = ?, step_failed = ?
     WHERE run_id = ? AND ${isActive}`,
  ),
  get: db.prepare('SELECT * FROM runs WHERE run_id = ?'),
  active: db.prepare(`SELECT * FROM runs WHERE ${isActive} ORDER BY run_id`),
  inLane: db.prepare(`SELECT * FROM runs WHERE lane = ? AND ${isActive}`),
})

class RunStore implements Store {
  readonly #db: DatabaseSync
  readonly #file: string
  readonly #log: Log
  readonly #statements: ReturnType<typeof statementsOf>

  constructor(db: DatabaseSync, file: string, log: Log) {
    this.#db = db
    this.#file = file
    this.#log = log
    keepReserve(file, log)
    this.#statements = statementsOf(db)
  }

  insert(row: Run): ReturnType<Store['insert']> {
    const values = columns.map((name) =>
      name === 'params' ? JSON.stringify(row.params) : row[name],
    )
    try {
      this.#statements.insert.run(...values)
      return { inserted: true }
    } catch (error) {
      const holder = this.#activeIn(row.lane)
      if (isUnique(error) && holder !== null) return { inserted: false, active: holder }
      throw error
    }
  }

  started(id: string, startedAt: string): void {
    this.#statements.started.run(startedAt, id)
    keepReserve(this.#file, this.#log)
  }

  ended(id: string, { status, finished_at, error_class, step_failed }: RunEnd): void {
    this.#writeWithReserve(() =>
      this.#statements.ended.run(status, finished_at, error_class, step_failed, id),
    )
  }

  get(id: string): Run | null {
    const row = this.#statements.get.get(id)
    return row === undefined ? null : toRun(row)
  }

  active(): Run[] {
    return this.#statements.active.all().map(toRun)
  }

  list({ limit, cursor, action, status }: RunsPage): Run[] {
    const where: string[] = []
    const values: SQLInputValue[] = []
    const add = (condition: string, value: string | undefined): void => {
      if (value === undefined) return
      where.push(condition)
      values.push(value)
    }
    add('action = ?', action)
    add('status = ?', status)
    add('run_id < ?', cursor)
    const condition = where.length > 0 ? `WHERE ${where.join(' AND ')}` : ''
    const sql = `SELECT * FROM runs ${condition} ORDER BY run_id DESC LIMIT ?`
    return this.#db
      .prepare(sql)
      .all(...values, limit + 1)
      .map(toRun)
  }

  ids(): Set<string> {
    const rows = this.#db.prepare('SELECT run_id FROM runs').all()
    return new Set(rows.map((row) => String(row['run_id'])))
  }

  inOneGo(work: () => void): void {
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      work()
      this.#db.exec('COMMIT')
    } catch (error) {
      this.#db.exec('ROLLBACK')
      throw error
    }
  }

  close(): void {
    this.#db.close()
  }

  #activeIn(lane: Lane): Run | null {
    const row = this.#statements.inLane.get(lane)
    return row === undefined ? null : toRun(row)
  }

  /** Writes although the disk is full, as long as the reserve lasts. */
  #writeWithReserve(write: () => void): void {
    try {
      write()
    } catch (error) {
      if (toProblem(error).errorClass !== 'disk_full') throw error
      this.#log('reserve_used', { file: reserveFile(this.#file) })
      rmSync(reserveFile(this.#file), { force: true })
      write()
    }
  }
}

/** SQLITE_CONSTRAINT_UNIQUE: the lane is taken. */
const isUnique = (error: unknown): boolean =>
  error instanceof Error && 'errcode' in error && error.errcode === 2067
