import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Why a small file system cannot be mounted here; null when it can. */
export const whyNoTmpfs = (): string | null =>
  process.platform !== 'linux' ? 'needs Linux' : process.getuid?.() === 0 ? null : 'needs root'

/** Mounts a file system of `kib` KiB. @returns its folder and how to take it away */
export function mountTmpfs(kib: number): { dir: string; unmount: () => void } {
  const dir = mkdtempSync(join(tmpdir(), 'tmpfs-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kib}k`, 'tmpfs', dir])
  return {
    dir,
    unmount: () => {
      execFileSync('umount', ['-l', dir])
      rmdirSync(dir)
    },
  }
}
