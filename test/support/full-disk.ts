// Makes doctor find the disk of a host too full, and ends that.
import { execFileSync } from 'node:child_process'
import { rmSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import type { DeployHost } from './host.ts'

/** The lowest limit that `host.json` can have, percent. */
const lowest = 1

/** In use from which no file is added, percent. Less may be the files of tests beside this one, which go again. */
const surely = 10

/** Sets the limit of the disk to what is in use. A disk that is nearly empty gets a file that fills it so far. */
export function fillDisk({ host, settings }: Pick<DeployHost, 'host' | 'settings'>): void {
  settings({ disk_warn_percent: lowest, disk_fail_percent: lowest })
  const { blocks, bfree, bsize } = statfsSync(host.dir)
  if ((blocks - bfree) / blocks < surely / 100)
    execFileSync('fallocate', [
      '--length',
      `${Math.ceil((blocks * bsize * lowest * 2) / 100)}`,
      ballast(host),
    ])
}

/** Ends it: the limits are far away. */
export function freeDisk({ host, settings }: Pick<DeployHost, 'host' | 'settings'>): void {
  rmSync(ballast(host), { force: true })
  settings({ disk_warn_percent: 99, disk_fail_percent: 100 })
}

const ballast = ({ dir }: DeployHost['host']): string => join(dir, 'ballast')
