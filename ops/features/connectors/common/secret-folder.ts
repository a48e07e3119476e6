import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
} from 'node:fs'
import { randomBytes } from 'node:crypto'
import { basename, join } from 'node:path'
import { maxSecretBytes } from '#shared/connectors'
import { Problem } from '#shared/errors'
import { codeOf, hasCode } from '#shared/system-error'
import { connectorFileRule, wrongWith } from '#ops/base/files/file-rule'
import { writeAll } from '#ops/base/files/write-all'
import { connectorAccount, connectorSecrets } from '#ops/base/paths/connector-paths'
import type { HostPaths } from '#ops/base/paths/paths'
import { unsafeFolder, type ReadRules } from './read-secret.ts'

const folderFlags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW
const readFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
const readOnlyFlags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW
const newFileFlags =
  constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW

const unsafe = (why: string, cause?: unknown): Problem =>
  new Problem('connector_secret_unsafe', `${why}. No secret was changed.`, { cause })

/** The file of the candidate for a secret, beside it. The pattern of no secret's name allows it. */
export const candidateOf = (name: string): string => name.replace(/\.json$/, '.candidate.json')

/**
 * The folder of the connector secrets, opened once: whatever is done goes to this very folder, also when its
 * name or one above it becomes a link meanwhile. No link in it is followed either.
 */
export class SecretFolder {
  readonly #path: string
  readonly #file: number
  readonly #strict: boolean

  private constructor(path: string, file: number, strict: boolean) {
    this.#path = path
    this.#file = file
    this.#strict = strict
  }

  /**
   * Opens the folder for `work`; it is made if there is none.
   * @throws {Problem} `connector_secret_unsafe` when it is a link, belongs to another user, or is open to others
   */
  static async open<T>(
    paths: Pick<HostPaths, 'etc'>,
    { strict }: ReadRules,
    work: (folder: SecretFolder) => T | Promise<T>,
  ): Promise<T> {
    const path = connectorSecrets(paths)
    const file = openBelow(paths.etc, path.slice(paths.etc.length + 1).split('/'), strict)
    try {
      const why = unsafeFolder(path, fstatSync(file), strict)
      if (why !== null) throw unsafe(why)
      return await work(new SecretFolder(path, file, strict))
    } finally {
      closeSync(file)
    }
  }

  /** @returns null when there is no such file; a link is described itself */
  stat(name: string): Stats | null {
    return lstatSync(this.#at(name), { throwIfNoEntry: false }) ?? null
  }

  /** @returns null when there is no such file, or it is larger than a secret @throws as `openSync`; a link too */
  read(name: string): Buffer | null {
    const at = this.stat(name)
    if (at === null || !at.isFile() || at.size > maxSecretBytes) return null
    const file = openSync(this.#at(name), readOnlyFlags)
    try {
      return readFileSync(file)
    } finally {
      closeSync(file)
    }
  }

  /**
   * Writes a file whole or not at all. It has its owner and mode before its first byte, and what was there stays
   * until the new one is on the disk.
   * @throws the system's error (ENOSPC, EROFS …); `connector_secret_unsafe` when the name is that of a folder
   */
  write(name: string, bytes: Uint8Array): void {
    this.#removeLeftovers(name)
    const temporary = `.${name}.${randomBytes(6).toString('hex')}.tmp`
    try {
      const file = openSync(this.#at(temporary), newFileFlags, 0o600)
      try {
        if (this.#strict) fchownSync(file, connectorAccount, connectorAccount)
        fchmodSync(file, 0o640)
        writeAll(file, bytes)
        fsyncSync(file)
      } finally {
        closeSync(file)
      }
      this.rename(temporary, name)
    } catch (error) {
      rmSync(this.#at(temporary), { force: true })
      throw error
    }
  }

  /**
   * Reads a file that somebody who may do so put here by hand, with another owner or mode than a secret has.
   * @returns null when there is none, it is as a secret must be, or anybody else could have written it
   */
  readByHand(name: string): Uint8Array | null {
    let file: number
    try {
      file = openSync(this.#at(name), readFlags)
    } catch (error) {
      if (hasCode(error, 'ENOENT', 'ELOOP')) return null
      throw error
    }
    try {
      const at = fstatSync(file)
      const owners = this.#strict ? [0, connectorAccount] : [process.getuid?.() ?? at.uid]
      const isTrusted =
        at.isFile() && at.nlink === 1 && owners.includes(at.uid) && (at.mode & 0o022) === 0
      const rule = connectorFileRule(join(this.#path, name))
      if (!isTrusted || wrongWith(rule, at, this.#strict) === null) return null
      return at.size > maxSecretBytes ? null : readFileSync(file)
    } finally {
      closeSync(file)
    }
  }

  /** Moves one file over another, in one step. */
  rename(from: string, to: string): void {
    try {
      renameSync(this.#at(from), this.#at(to))
    } catch (error) {
      if (hasCode(error, 'EISDIR', 'ENOTEMPTY', 'ENOTDIR'))
        throw unsafe(`${join(this.#path, to)} is not a regular file (${codeOf(error)})`, error)
      throw error
    }
    fsyncSync(this.#file)
  }

  /** @returns whether there was one; a link itself is removed */
  remove(name: string): boolean {
    this.#removeLeftovers(name)
    if (this.stat(name) === null) return false
    rmSync(this.#at(name), { force: true })
    fsyncSync(this.#file)
    return true
  }

  /** What a write of this name that was killed left. Nobody else writes it: the caller holds the lock. */
  #removeLeftovers(name: string): void {
    for (const each of readdirSync(this.#at('')))
      if (each.startsWith(`.${name}.`) && each.endsWith('.tmp'))
        rmSync(this.#at(each), { force: true })
  }

  #at(name: string): string {
    return within(this.#file, this.#path, basename(name))
  }
}

/** A path that starts at an open folder. Only Linux has such paths; elsewhere its own is used. */
const within = (file: number, path: string, name: string): string =>
  process.platform === 'linux' ? `/proc/self/fd/${file}/${name}` : join(path, name)

/**
 * Opens a folder below `root`, one name after the other, so that no name on the way may be a link.
 * @param names the last one is made when it is not there
 */
function openBelow(root: string, names: readonly string[], strict: boolean): number {
  let path = root
  let file = openSync(root, constants.O_RDONLY | constants.O_DIRECTORY)
  for (const [at, name] of names.entries()) {
    const outer = file
    const inner = within(outer, path, name)
    path = join(path, name)
    try {
      if (at === names.length - 1) makeFolder(inner, strict)
      file = openSync(inner, folderFlags)
    } catch (error) {
      if (hasCode(error, 'ELOOP', 'ENOTDIR', 'ENOENT'))
        throw unsafe(`${path} is not a folder, or a link to one (${codeOf(error)})`, error)
      throw error
    } finally {
      closeSync(outer)
    }
  }
  return file
}

function makeFolder(path: string, strict: boolean): void {
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return
    throw error
  }
  const file = openSync(path, folderFlags)
  try {
    if (strict) fchownSync(file, 0, connectorAccount)
    fchmodSync(file, 0o750)
  } finally {
    closeSync(file)
  }
}
