import { lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { identify } from './process-tree.ts'

/** Start time as part of a file name: with the process id it names one process of this boot. */
const startOf = (pid: number): string | null =>
  identify(pid)?.start_time.replaceAll(/[^A-Za-z0-9]/g, '') ?? null
const named = /^openclaw-[a-z-]+-(\d+)\.([A-Za-z0-9]+)-[A-Za-z0-9]{6}$/

/**
 * A new folder for temporary files whose name says which process made it, so that one that was killed is found out.
 * Where the system does not say when we started, the name says nothing, and nobody else removes it.
 * @param kind what it is for; lower case letters and dashes
 */
export function makeTemporary(kind: string): string {
  const start = startOf(process.pid)
  return mkdtempSync(
    join(
      tmpdir(),
      start === null ? `openclaw-${kind}-` : `openclaw-${kind}-${process.pid}.${start}-`,
    ),
  )
}

/** Removes temporary folders of this account whose process has ended without doing so. @returns their paths */
export function sweepTemporary(): string[] {
  const base = tmpdir()
  return readdirSync(base).flatMap((name) => {
    const [, pid, start] = named.exec(name) ?? []
    if (pid === undefined || startOf(Number(pid)) === start) return []
    const path = join(base, name)
    const info = lstatSync(path, { throwIfNoEntry: false })
    if (!info?.isDirectory() || info.uid !== process.getuid?.()) return []
    rmSync(path, { recursive: true, force: true, maxRetries: 3 })
    return [path]
  })
}
