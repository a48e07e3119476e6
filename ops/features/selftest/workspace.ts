import { inheritedVariables, minimalEnv, removeVariables, setVariables } from '#ops/base/env'
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { Problem } from '#shared/errors'
import { readJson, writeJson } from '#ops/base/files/json-file'
import { bootId, endTree, identify, isAlive } from '#ops/base/process/process-tree'

const prefix = 'openclaw-selftest-'
const ownerName = 'owner.json'
const owner = z.strictObject({
  pid: z.number().int().positive(),
  start_time: z.string(),
  boot_id: z.string(),
})

/** A folder of its own for one self-test; everything is planted in it. */
export interface Place {
  /** Real path. */
  readonly folder: string
  /** Makes a folder in it. */
  sub(...parts: string[]): string
  /** Environment of a program that is started for it: nothing of the caller but PATH, and the mark by which it is found again. */
  readonly env: Readonly<Record<string, string>>
  /** Ends what was started and removes the folder. */
  remove(): Promise<void>
}

const markerOf = (folder: string): string => `OPENCLAW_SELFTEST=${folder}`

/** Variables by which a caller could lead git, or a request to loopback, elsewhere. */
const leading = /^(?:GIT_|XDG_|SSH_|(?:https?|no|all|ftp)_proxy$)/i

/**
 * Makes the place, and sends everything that this process and its children put into a temporary or home folder there.
 * What a killed self-test of the same user left is ended and removed first.
 */
export async function openPlace(): Promise<Place> {
  const base = realpathSync(tmpdir())
  await sweep(base)
  const self = identify(process.pid)
  if (self === null)
    throw new Problem('internal_error', 'This process cannot see itself in the process table.')
  const folder = mkdtempSync(join(base, prefix))
  writeJson(
    join(folder, ownerName),
    { pid: self.pid, start_time: self.start_time, boot_id: bootId() } satisfies z.infer<
      typeof owner
    >,
    { mode: 0o600 },
  )
  const sub = (...parts: string[]): string => {
    const path = join(folder, ...parts)
    mkdirSync(path, { recursive: true })
    return path
  }
  const own = { HOME: sub('home'), TMPDIR: sub('tmp') }
  removeVariables((name) => leading.test(name))
  setVariables(own)
  return {
    folder,
    sub,
    env: {
      ...minimalEnv(),
      ...own,
      OPENCLAW_SELFTEST: folder,
      ...inheritedVariables(['OPENCLAW_RUN_ID']),
    },
    remove: () => clear(folder),
  }
}

async function clear(folder: string): Promise<void> {
  const left = await endTree({ marker: markerOf(folder) }, 1000)
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  if (left.length > 0)
    throw new Problem(
      'internal_error',
      `Processes of the self-test would not end: ${left.join(', ')}.`,
    )
}

/** Only folders of this user, and only when their owner is known to have ended. */
async function sweep(base: string): Promise<void> {
  for (const name of readdirSync(base).filter((each) => each.startsWith(prefix))) {
    const folder = join(base, name)
    const info = lstatSync(folder, { throwIfNoEntry: false })
    if (info?.isDirectory() !== true || info.uid !== process.getuid?.()) continue
    try {
      const record = readJson(join(folder, ownerName), owner, 'state_invalid')
      // One that is being made has no owner yet, for an instant.
      const abandoned =
        record === undefined ? Date.now() - info.mtimeMs > 3_600_000 : !isAlive(record)
      if (abandoned) await clear(folder)
    } catch (error) {
      if (!(error instanceof Problem)) throw error // another one sweeps it, or it is none of ours: it stays
    }
  }
}
