import type { Stats } from 'node:fs'
import { connectorAccount } from '#ops/base/paths/connector-paths'

/** What a file or folder must be so that nobody but who has to can read a secret or change what is trusted. */
export interface FileRule {
  readonly path: string
  readonly kind: 'file' | 'folder'
  /** Bits that nobody may have. */
  readonly forbidden: number
  /** What an installed host has, to the letter. */
  readonly exact?: { readonly mode: number; readonly uid: number; readonly gid?: number }
  /** A host does without it until it is first used. */
  readonly optional?: boolean
}

/** Folder of the connector secrets. */
export const connectorFolderRule = (path: string): FileRule => ({
  path,
  kind: 'folder',
  forbidden: 0o027,
  exact: { mode: 0o750, uid: 0, gid: connectorAccount },
})
/** One connector secret. */
export const connectorFileRule = (path: string): FileRule => ({
  path,
  kind: 'file',
  forbidden: 0o037,
  exact: { mode: 0o640, uid: connectorAccount, gid: connectorAccount },
})

export const octal = (mode: number): string => (mode & 0o7777).toString(8).padStart(4, '0')

/**
 * @param at what `lstat`, or `fstat` of the open file, says
 * @param strict the host was installed: owner and mode are those of the rule, to the letter
 * @returns what is wrong with it, or null
 */
export function wrongWith(
  { path, kind, forbidden, exact }: FileRule,
  { mode, uid, gid, nlink }: Pick<Stats, 'mode' | 'uid' | 'gid' | 'nlink'>,
  strict: boolean,
): string | null {
  if ((mode & 0o170000) === 0o120000) return `${path} is a symbolic link`
  if ((mode & 0o170000) !== (kind === 'file' ? 0o100000 : 0o040000))
    return `${path} is not a ${kind === 'file' ? 'regular file' : 'folder'}`
  if (kind === 'file' && nlink > 1)
    return `${path} has ${nlink} hard links, so others may reach it by another name`
  const bits = mode & forbidden
  if (bits !== 0) {
    const lets = (bits & 0o022) === 0 ? 'lets others read it' : 'lets group or others write'
    return `${path} has mode ${octal(mode)}, which ${lets}`
  }
  if (!strict || exact === undefined) return null
  const owner = exact.uid !== uid || (exact.gid !== undefined && exact.gid !== gid)
  if (!owner && exact.mode === (mode & 0o7777)) return null
  return `${path} is ${octal(mode)} ${uid}:${gid}, not ${octal(exact.mode)} ${exact.uid}:${exact.gid ?? gid}`
}
