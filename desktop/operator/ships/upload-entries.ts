// What is known of the upload of each ship: `$OPENCLAW_HQ_HOME/upload-queue/<run_id>.json`.
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { runId, timestamp } from '#shared/ids'
import { readJson, writeJson } from '#ops/base/files/json-file'
import { runFolder } from '#ops/base/paths/paths'

const entry = z.strictObject({
  schema_version: z.literal(1),
  run_id: runId,
  repository: z.string(),
  /** Origin of the host it goes to. */
  origin: z.string(),
  state: z.enum(['queued', 'stored', 'refused']),
  attempts: z.number().int().nonnegative(),
  detail: z.string().nullable(),
  updated_at: timestamp,
})
export type UploadEntry = z.infer<typeof entry>

/** How many entries are kept. */
const maxEntries = 200

export class UploadEntries {
  readonly #folder: string

  constructor(home: string) {
    this.#folder = join(home, 'upload-queue')
  }

  /** Null also for a damaged entry: it is queued again, and the host accepts the same bundle twice. */
  read(id: string): UploadEntry | null {
    try {
      return readJson(this.#pathOf(id), entry, 'internal_error') ?? null
    } catch {
      return null
    }
  }

  write(value: Omit<UploadEntry, 'schema_version' | 'updated_at'>): void {
    writeJson(
      this.#pathOf(value.run_id),
      { schema_version: 1, ...value, updated_at: new Date().toISOString() },
      { mode: 0o600 },
    )
  }

  /** Writes an entry for a ship that has none yet. */
  queue(ship: Pick<UploadEntry, 'run_id' | 'repository' | 'origin'>): void {
    if (!existsSync(this.#pathOf(ship.run_id)))
      this.write({ ...ship, state: 'queued', attempts: 0, detail: null })
  }

  /** Did this host store or refuse it? */
  isDone(id: string, origin: string): boolean {
    const known = this.read(id)
    return known !== null && known.origin === origin && known.state !== 'queued'
  }

  prune(): void {
    if (!existsSync(this.#folder)) return
    const names = readdirSync(this.#folder)
      .filter((name) => name.endsWith('.json') && !name.startsWith('.'))
      .toSorted()
      .toReversed()
    for (const name of names.slice(maxEntries)) rmSync(join(this.#folder, name), { force: true })
  }

  #pathOf(id: string): string {
    return `${runFolder(this.#folder, id)}.json`
  }
}
