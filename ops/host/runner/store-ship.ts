import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { shipBundle, type ShipBundle } from '#shared/bundle'
import { Problem } from '#shared/errors'
import { shipResult } from '#shared/result'
import { sha256Of } from '#ops/base/sha256'
import { trustedShipKeys } from '#ops/core/trust/enrolled-keys'
import { parseJson, writeWhole } from '#ops/base/files/json-file'
import { trustKeys } from '#ops/core/trust/trusted-keys'
import { runFolder, type HostPaths } from '#ops/base/paths/paths'
import { verifyFiles } from '#ops/core/proof/verify-bundle'
import { withLock } from '#ops/base/files/lock'
import { storeLockFile } from '#ops/core/host-state/locks'
import { syncFolder } from '#ops/base/files/sync-folder'

const lockWaitMs = 10_000

/**
 * Stores the bundle of a ship under `artifacts/ship/<run_id>/`, whole or not at all.
 * @returns `unchanged` when the very same bundle is there already
 * @throws {Problem} `invalid_request` when the bundle is not what it says; `proof_broken` when it
 *   is not what was sealed; `bundle_conflict` when another one is there
 */
export async function storeShip(
  paths: HostPaths,
  id: string,
  body: Buffer,
): Promise<'created' | 'unchanged'> {
  const files = checkFiles(
    id,
    parseJson(body.toString('utf8'), shipBundle, {
      errorClass: 'invalid_request',
      origin: 'The ship bundle',
    }),
  )
  refuseBroken(paths, id, files)
  const busy = (): Problem =>
    new Problem('lane_busy', 'Another ship bundle is being stored. Nothing was changed.')
  return await withLock(storeLockFile(paths), { waitMs: lockWaitMs, busy }, () =>
    storeFiles(paths, id, files),
  )
}

/** Stores the bundle whole or not at all. Under the lock: what a store that was killed left behind is removed. */
function storeFiles(
  paths: HostPaths,
  id: string,
  files: ReadonlyMap<string, Buffer>,
): 'created' | 'unchanged' {
  const base = join(paths.artifacts, 'ship')
  const folder = runFolder(base, id)
  if (existsSync(folder)) {
    if (isSame(folder, files)) return 'unchanged'
    throw new Problem(
      'bundle_conflict',
      `The host holds a different bundle for ship ${id}. The stored one is untouched.`,
    )
  }
  mkdirSync(base, { recursive: true })
  // What a store that was killed left behind; nobody else stores while the lock is held.
  for (const name of readdirSync(base))
    if (name.startsWith('.') && name.endsWith('.tmp'))
      rmSync(join(base, name), { recursive: true, force: true })
  const temporary = join(base, `.${id}.${randomBytes(6).toString('hex')}.tmp`)
  try {
    for (const [path, bytes] of files) writeWhole(join(temporary, path), bytes)
    renameSync(temporary, folder)
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true })
    throw error
  }
  syncFolder(base)
  return 'created'
}

/**
 * @throws {Problem} `proof_broken` for a bundle that is not what was sealed, or that no enrolled key sealed while
 * there are keys
 */
function refuseBroken(paths: HostPaths, id: string, files: ReadonlyMap<string, Buffer>): void {
  const keys = trustKeys(trustedShipKeys(paths), paths.trustFile)
  const { state, problems } = verifyFiles({ kind: 'ship', runId: id, files }, keys)
  if (state !== 'broken') return
  const why = problems
    .slice(0, 1)
    .map(({ code, file, detail }) => `${[code, file ?? []].flat().join(' ')}: ${detail}`)
  throw new Problem(
    'proof_broken',
    `The proof of ship ${id} is broken: ${why.join('')}. Nothing was stored.`,
    { evidence: problems.map(({ code, file, detail }) => `${code} ${file ?? ''} ${detail}`) },
  )
}

/** Digests, sizes, names, and that the bundle is about this very ship. */
function checkFiles(id: string, bundle: ShipBundle): Map<string, Buffer> {
  const refuse = (why: string): never => {
    throw new Problem('invalid_request', `The ship bundle is refused: ${why}. Nothing was stored.`)
  }
  if (bundle.run_id !== id) refuse(`it names run ${bundle.run_id}, not ${id}`)
  const files = new Map<string, Buffer>()
  for (const { path, size, sha256, content_base64 } of bundle.files) {
    const bytes = Buffer.from(content_base64, 'base64')
    if (bytes.length !== size) refuse(`${path} has ${bytes.length} bytes, not ${size}`)
    if (sha256Of(bytes) !== sha256)
      refuse(`${path} has another SHA-256 digest than the bundle says`)
    if (files.has(path)) refuse(`${path} is listed twice`)
    files.set(path, bytes)
  }
  for (const path of files.keys()) {
    for (let parent = dirname(path); parent !== '.'; parent = dirname(parent))
      if (files.has(parent)) refuse(`${parent} is listed as a file and as a folder`)
  }
  const result = files.get('ship_result.json') ?? refuse('ship_result.json is missing')
  const { run_id } = parseJson(result.toString('utf8'), shipResult, {
    errorClass: 'invalid_request',
    origin: 'ship_result.json of the bundle',
  })
  if (run_id !== id) refuse(`its ship_result.json is of run ${run_id}`)
  return files
}

function isSame(folder: string, files: ReadonlyMap<string, Buffer>): boolean {
  const stored = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(
    (entry) => !entry.isDirectory(),
  )
  if (stored.length !== files.size) return false
  return stored.every((entry) => {
    const path = join(entry.parentPath, entry.name)
    const mine = files.get(path.slice(folder.length + 1))
    return entry.isFile() && mine !== undefined && mine.equals(readFileSync(path))
  })
}
