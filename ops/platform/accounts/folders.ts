import { chmodSync, chownSync, lstatSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Problem } from '#shared/errors'
import { connectorAccount, connectorSecrets, secretsFolder } from '#ops/base/paths/connector-paths'
import type { HostPaths } from '#ops/base/paths/paths'
import { hostProofPaths } from '#ops/base/paths/proof-paths'
import type { Account } from './account.ts'
import type { Change } from './change.ts'

/** Home of the account that git, npm and builds run as. */
export const buildHome = ({ state }: HostPaths): string => join(state, 'build-home')
/** Home of what the runner starts: /root is not visible to it. */
export const runnerHome = ({ state }: HostPaths): string => join(state, 'runner-home')

interface Folder {
  readonly path: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
}

/** Folders of a host with their owner and mode, outermost first. */
export function hostFolders(
  paths: HostPaths,
  { hostd, build }: { hostd: Account; build: Account },
): Folder[] {
  const root = { uid: 0, gid: 0 }
  return [
    { path: paths.etc, mode: 0o755, ...root },
    // hostd reads the token in it, containers reach only what is mounted for them: pass, but no list.
    { path: secretsFolder(paths), mode: 0o751, uid: 0, gid: hostd.gid },
    { path: connectorSecrets(paths), mode: 0o750, uid: 0, gid: connectorAccount },
    { path: dirname(hostProofPaths(paths).keyFile), mode: 0o700, ...root },
    // Ship keys that are enrolled in HQ. A run may write here, but not the trust file.
    { path: dirname(paths.shipKeysFile), mode: 0o755, ...root },
    { path: paths.state, mode: 0o755, ...root },
    { path: dirname(hostProofPaths(paths).publicKeyFile), mode: 0o755, ...root },
    { path: dirname(paths.index), mode: 0o750, ...hostd },
    // A process that can open a lock can hold it shared, and so keep every run from starting: hostd only checks it,
    // and nobody else may open it.
    { path: paths.locks, mode: 0o750, uid: 0, gid: hostd.gid },
    { path: paths.releases, mode: 0o755, ...root },
    { path: buildHome(paths), mode: 0o750, ...build },
    { path: runnerHome(paths), mode: 0o700, ...root },
    { path: paths.artifacts, mode: 0o755, ...root },
    { path: paths.runs, mode: 0o755, ...root },
  ]
}

const octal = (mode: number): string => mode.toString(8).padStart(4, '0')

export const folderChange = ({ path, mode, uid, gid }: Folder): Change => ({
  did: `set up ${path} (${octal(mode)}, ${uid}:${gid})`,
  due: () => {
    const found = lstatSync(path, { throwIfNoEntry: false })
    return (
      found === undefined ||
      !found.isDirectory() ||
      (found.mode & 0o7777) !== mode ||
      found.uid !== uid ||
      found.gid !== gid
    )
  },
  apply: () => {
    mkdirSync(path, { recursive: true })
    // A link would give what it leads to another owner and mode.
    if (!lstatSync(path).isDirectory())
      throw new Problem('install_failed', `${path} is a link, not a folder. It was left as it is.`)
    chownSync(path, uid, gid)
    chmodSync(path, mode) // after the owner: chown clears bits, and umask narrows what mkdir was given
  },
})
