import { createHash } from 'node:crypto'
import {
  closeSync,
  constants,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import type { GmailSettings } from '#shared/connectors/gmail'
import { timestamp } from '#shared/ids'
import { harvestFile, harvestRecord, type HarvestRecord } from '#shared/phase0'
import { readRegularFile } from '#ops/base/files/regular-file'
import { writeAll } from '#ops/base/files/write-all'
import type { HostPaths } from '#ops/base/paths/paths'
import { redact } from '#ops/base/redact/redaction'
import { unfinishedHarvest } from '#ops/core/host-state/unfinished-harvest'

/** What was read longer ago is read again: labels change. In milliseconds. */
const maxAgeMs = 24 * 60 * 60 * 1000
/** The largest harvest that host.json allows, and its header, in bytes. */
const maxUnfinishedBytes = 16 * 1024 * 1024 + 4096

const header = z.strictObject({ key: z.string(), started_at: timestamp })

/** A harvest continues only one of the same messages, mailbox and fields. */
const keyOf = (
  { mode, api_url, imap_host, imap_port, ...settings }: GmailSettings,
  account: string | null,
): string =>
  createHash('sha256')
    .update(
      JSON.stringify([
        mode === 'imap' ? `${imap_host}:${imap_port}` : api_url,
        account,
        settings.harvest_query,
        settings.harvest_fields,
      ]),
    )
    .digest('hex')

interface HarvestFileOptions {
  /** Folder of the proof. */
  readonly dir: string
  readonly paths: Pick<HostPaths, 'state'>
  readonly settings: GmailSettings
  /** Address of the mailbox; null: its service does not say. */
  readonly account: string | null
}

/**
 * `gmail_harvest.jsonl` of a run, written line by line. The state of the host keeps the same lines until a harvest
 * ends, so that the next run need not read those messages again. Each message is in the file once.
 */
export class HarvestFile {
  readonly #maxBytes: number
  readonly #unfinished: string
  /** Lines of an earlier run without an end, by id. */
  readonly #earlier: ReadonlyMap<string, string>
  readonly #ids = new Set<string>()
  readonly #file: number
  readonly #kept: number
  #bytes = 0
  #resumed = 0

  constructor({ dir, paths, settings, account }: HarvestFileOptions) {
    const key = keyOf(settings, account)
    this.#maxBytes = settings.harvest_max_bytes
    this.#unfinished = unfinishedHarvest(paths)
    const earlier = readUnfinished(this.#unfinished, key)
    this.#earlier = earlier.lines
    mkdirSync(dirname(this.#unfinished), { recursive: true, mode: 0o700 })
    const { O_WRONLY, O_CREAT, O_APPEND, O_NOFOLLOW, O_EXCL } = constants
    this.#kept = openSync(this.#unfinished, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0o600)
    ftruncateSync(this.#kept, earlier.bytes)
    if (earlier.bytes === 0)
      writeSync(this.#kept, `${JSON.stringify({ key, started_at: new Date().toISOString() })}\n`)
    this.#file = openSync(join(dir, harvestFile), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o644)
  }

  /** Ids of messages that need not be read again. */
  get known(): Iterable<string> {
    return this.#earlier.keys()
  }

  get messages(): number {
    return this.#ids.size
  }

  get resumed(): number {
    return this.#resumed
  }

  /** @returns false when the file has as many bytes as it may have; the message is then not in it */
  add(message: HarvestRecord): boolean {
    const { id, thread, date } = message
    // What a service says of a message may hold what looks like a credential, or a secret of this host.
    const line = `${JSON.stringify({ ...redact.json(message), id, thread, date })}\n`
    if (this.#ids.has(id)) return true
    if (!this.#write(id, line)) return false
    if (!this.#earlier.has(id)) writeAll(this.#kept, Buffer.from(line))
    return true
  }

  /** The same for a message of an earlier run. One that no run has read is ignored. */
  keep(id: string): boolean {
    const line = this.#earlier.get(id)
    if (line === undefined || this.#ids.has(id)) return true
    if (!this.#write(id, line)) return false
    this.#resumed += 1
    return true
  }

  /** @param ended nothing is left for a next run to continue */
  close(ended: boolean): void {
    try {
      fsyncSync(this.#file)
      if (!ended) fsyncSync(this.#kept)
    } finally {
      closeSync(this.#file)
      closeSync(this.#kept)
    }
    if (ended) rmSync(this.#unfinished, { force: true })
  }

  #write(id: string, line: string): boolean {
    const bytes = Buffer.from(line)
    if (this.#bytes + bytes.length > this.#maxBytes) return false
    writeAll(this.#file, bytes)
    this.#bytes += bytes.length
    this.#ids.add(id)
    return true
  }
}

interface Unfinished {
  readonly lines: ReadonlyMap<string, string>
  /** Bytes of the file up to the end of its last whole line; 0: nothing in it can be continued. */
  readonly bytes: number
}
const nothing: Unfinished = { lines: new Map(), bytes: 0 }

/** What a killed run wrote ends within a line: that line is left out. */
function readUnfinished(path: string, key: string): Unfinished {
  const text = readRegularFile(path, maxUnfinishedBytes)
  if (text === null) return nothing
  const [first = '', ...rest] = text.split('\n')
  rest.pop() // empty, or cut off
  const start = header.safeParse(jsonOf(first)).data
  if (start?.key !== key || Date.now() - Date.parse(start.started_at) > maxAgeMs) return nothing
  const lines = new Map<string, string>()
  let bytes = Buffer.byteLength(first) + 1
  for (const line of rest) {
    const record = harvestRecord.safeParse(jsonOf(line)).data
    if (record === undefined) break
    lines.set(record.id, `${line}\n`)
    bytes += Buffer.byteLength(line) + 1
  }
  return { lines, bytes }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // a line that a killed run did not finish
  }
}
