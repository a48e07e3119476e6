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

/** The folder of one self-test. Every violation is made in it. */
export interface Workspace {
  /** Real path. */
  readonly folder: string
  /** Makes a folder in it. */
  sub(...parts: string[]): string
  /** Environment of a program that the self-test starts: PATH, and a marker by which a later self-test finds it. */
  readonly env: Readonly<Record<string, string>>
  /** Ends what was started and removes the folder. */
  remove(): Promise<void>
}

const markerOf = (folder: string): string => `OPENCLAW_SELFTEST=${folder}`

/** Variables with which a caller could redirect git, or a request to loopback. */
const redirecting = /^(?:GIT_|XDG_|SSH_|(?:https?|no|all|ftp)_proxy$)/i

/**
 * Makes the workspace. Temporary and home folders of this process and its children lie in it from then on. It first
 * ends and removes what a killed self-test of the same user left.
 */
export async function openWorkspace(): Promise<Workspace> {
  const base = realpathSync(tmpdir())
  await sweep(base)
  const self = identify(process.pid)
  if (self === null)
    throw new Problem('internal_error', 'This process is missing in the process table.')
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
  const folders = { HOME: sub('home'), TMPDIR: sub('tmp') }
  removeVariables((name) => redirecting.test(name))
  setVariables(folders)
  return {
    folder,
    sub,
    env: {
      ...minimalEnv(),
      ...folders,
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
      `Processes of the self-test did not end: ${left.join(', ')}.`,
    )
}

/** Removes folders of this user whose owner has ended. */
async function sweep(base: string): Promise<void> {
  for (const name of readdirSync(base).filter((each) => each.startsWith(prefix))) {
    const folder = join(base, name)
    const info = lstatSync(folder, { throwIfNoEntry: false })
    if (info?.isDirectory() !== true || info.uid !== process.getuid?.()) continue
    try {
      const record = readJson(join(folder, ownerName), owner, 'state_invalid')
      // A folder that is being made has no owner for an instant.
      const abandoned =
        record === undefined ? Date.now() - info.mtimeMs > 3_600_000 : !isAlive(record)
      if (abandoned) await clear(folder)
    } catch (error) {
      if (!(error instanceof Problem)) throw error // another self-test removes it, or it is not ours: it stays
    }
  }
}
