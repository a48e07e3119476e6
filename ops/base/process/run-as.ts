import {
  chmodSync,
  chownSync,
  lchownSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import { makeTemporary } from './temporary-folder.ts'

/** An account that a command runs as instead of the one we are. */
export interface RunAs {
  readonly uid: number
  readonly gid: number
  /** Its HOME. */ readonly home: string
}

function homeOf(uid: number): string {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((text) => text.split(':'))
    .find((fields) => fields[2] === String(uid))
  return line?.[5] ?? '/nonexistent'
}

/**
 * The account that a folder belongs to, when we are root and it is somebody else: what works in that folder then has no
 * more power than its owner. On an installed host that is `openclaw-build`, which owns the clone.
 * @returns undefined when commands run as who we are
 */
export function ownerOf(path: string): RunAs | undefined {
  if (process.getuid?.() !== 0) return undefined
  const { uid, gid } = statSync(path)
  return uid === 0 ? undefined : { uid, gid, home: homeOf(uid) }
}

/** Gives a folder to the account that is to write in it. */
export function giveTo(folder: string, as: RunAs | undefined): void {
  if (as) chownSync(folder, as.uid, as.gid)
}

/** What lies below a folder, and then it itself; a link is not followed. */
function chownTree(folder: string, uid: number, gid: number): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) chownTree(path, uid, gid)
    else lchownSync(path, uid, gid)
  }
  lchownSync(folder, uid, gid)
}

/** A folder that only we have written so far, with everything in it, is the account's. */
export function giveTreeTo(folder: string, as: RunAs | undefined): void {
  if (as) chownTree(folder, as.uid, as.gid)
}

/** It is ours again, and the account can write nothing of it any more, once its processes have ended. */
export function takeTreeBack(folder: string, as: RunAs | undefined): void {
  if (!as) return
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) takeTreeBack(path, as)
    else takeBack(path)
  }
  takeBack(folder)
}

function takeBack(path: string): void {
  lchownSync(path, 0, 0)
  const info = lstatSync(path)
  if (!info.isSymbolicLink()) chmodSync(path, info.mode & 0o7755) // a link has no mode
}

/** A new folder for temporary files that the account may use, and nobody else but us. */
export function temporaryFolder(kind: string, as?: RunAs): string {
  const folder = makeTemporary(kind)
  giveTo(folder, as)
  return folder
}
