import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Overview } from '#shared/bridge'
import { errorRule, Problem, toProblem } from '#shared/errors'
import { runId, timestamp } from '#shared/ids'
import { readJson, writeJson } from '#ops/base/files/json-file'
import { runFolder } from '#ops/base/paths/paths'
import type { SigningKey } from '#ops/core/trust/signing-key'
import { redact } from '#ops/base/redact/redaction'
import { hostClient, type HostTarget } from '../host/client.ts'
import { makeShipBundle } from './bundle.ts'
import { readShipResult, shipIds } from './folder.ts'

/** `$OPENCLAW_HQ_HOME/upload-queue/<run_id>.json` */
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
type Entry = z.infer<typeof entry>

/** Newest ships of the repository that are looked at; older ones were uploaded, or are history. */
const looked = 50

/** Does a later attempt have a chance without anybody changing the bundle? */
const worthRetrying = (problem: Problem): boolean => {
  const { http } = errorRule(problem.errorClass)
  return http === undefined || http >= 500 || http === 403
}

export interface UploadQueue {
  /** Queues every passed ship that this host does not have, and sends what is queued. Never throws for a host that is away. @returns did the host take one? */
  run(repository: string, target: HostTarget): Promise<boolean>
  /** @param origin of the enrolled host, null when there is none: then a passed ship waits for one */
  view(repository: string | null, origin: string | null): Overview['upload']
}

export interface UploadOptions {
  readonly home: string
  readonly log: (text: string) => void
  /** Signs for what is too large to be uploaded. */
  readonly shipKey: () => Promise<SigningKey>
  /** A ship that still runs may still write to its proof, also after its result. */
  readonly isRunning: (repository: string, id: string) => boolean
}

/** Brings the proof of each passed ship to the host, also of those typed at a terminal (design §6). A ship never fails for it. */
export function uploadQueue({ home, log, isRunning, shipKey }: UploadOptions): UploadQueue {
  const passedIds = new Map<string, boolean>()
  const folder = join(home, 'upload-queue')
  const pathOf = (id: string): string => `${runFolder(folder, id)}.json`
  const read = (id: string): Entry | null => {
    try {
      return readJson(pathOf(id), entry, 'internal_error') ?? null
    } catch {
      return null // damaged: it is queued afresh, and the host takes the same bundle twice without harm
    }
  }
  const write = (value: Entry): void => writeJson(pathOf(value.run_id), value, { mode: 0o600 })
  const settled = (id: string, origin: string): boolean => {
    const known = read(id)
    return known !== null && known.origin === origin && known.state !== 'queued'
  }
  const passed = (repository: string, id: string): boolean => {
    const known = passedIds.get(id)
    if (known !== undefined) return known
    if (isRunning(repository, id)) return false
    try {
      const pass = readShipResult(repository, id)?.overall === 'PASS'
      passedIds.set(id, pass)
      return pass
    } catch (error) {
      if (error instanceof Problem) return false // no readable result, so nothing that passed
      throw error
    }
  }
  const waiting = (repository: string, origin: string): string[] =>
    shipIds(repository)
      .slice(0, looked)
      .filter((id) => !settled(id, origin) && passed(repository, id))
      .toReversed()

  const send = async (
    repository: string,
    target: HostTarget,
    id: string,
  ): Promise<Entry['state']> => {
    const base = {
      schema_version: 1 as const,
      run_id: id,
      repository,
      origin: target.origin,
      attempts: (read(id)?.attempts ?? 0) + 1,
      updated_at: new Date().toISOString(),
    }
    try {
      const { bundle, leftOut } = makeShipBundle(repository, id, await shipKey())
      await hostClient(async () => target).storeShip(id, bundle)
      write({
        ...base,
        state: 'stored',
        detail:
          leftOut.length > 0
            ? `Too large for the host and left on the laptop: ${leftOut.join(', ')}`
            : null,
      })
      return 'stored'
    } catch (error) {
      const problem = toProblem(error)
      const again = worthRetrying(problem)
      write({ ...base, state: again ? 'queued' : 'refused', detail: redact.text(problem.message) })
      if (problem.errorClass === 'internal_error')
        log(`Uploading ship ${id} failed: ${problem.message}`)
      return again ? 'queued' : 'refused'
    }
  }

  let running: Promise<boolean> | null = null
  return {
    run: (repository, target) =>
      (running ??= (async () => {
        const ids = waiting(repository, target.origin)
        for (const id of ids)
          if (!existsSync(pathOf(id)))
            write({
              schema_version: 1,
              run_id: id,
              repository,
              origin: target.origin,
              state: 'queued',
              attempts: 0,
              detail: null,
              updated_at: new Date().toISOString(),
            })
        let stored = false
        for (const id of ids) {
          const state = await send(repository, target, id)
          stored ||= state === 'stored'
          if (state === 'queued') break // the host is away: it would not take the others either
        }
        prune(folder)
        return stored
      })().finally(() => {
        running = null
      })),
    view: (repository, origin) => {
      if (repository === null) return { queued: 0, detail: null }
      const ids = waiting(repository, origin ?? '')
      const refused =
        origin === null
          ? undefined
          : shipIds(repository)
              .slice(0, looked)
              .map(read)
              .find((each) => each?.state === 'refused' && each.origin === origin)
      const detail =
        (ids[0] === undefined ? null : read(ids[0])?.detail) ??
        (refused
          ? `The host refused the proof of ship ${refused.run_id}: ${refused.detail ?? ''}`
          : null)
      return { queued: ids.length, detail }
    },
  }
}

/** How many entries are kept. */
const keep = 200
function prune(folder: string): void {
  if (!existsSync(folder)) return
  const names = readdirSync(folder)
    .filter((name) => name.endsWith('.json') && !name.startsWith('.'))
    .toSorted()
    .toReversed()
  for (const name of names.slice(keep)) rmSync(join(folder, name), { force: true })
}
