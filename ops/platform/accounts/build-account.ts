import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { HostSettings } from '#shared/config'
import { Problem } from '#shared/errors'
import { baseEnv, runCommand } from '#ops/base/process/command'
import { findAccount } from './accounts.ts'
import { buildHome } from './folders.ts'
import { buildUser } from './account.ts'
import type { HostPaths } from '#ops/base/paths/paths'
import { processIds } from '#ops/base/process/process-stat'
import type { RunAs } from '#ops/base/process/run-as'

/** Time for killed processes to be gone, milliseconds. */
const endMs = 5000

/** The account that fetches and builds what others wrote: a separate one on an installed host, else this one. */
export interface BuildAccount {
  /** Its home; npm's cache and what is being built lie in it. */
  readonly home: string
  /** undefined: commands run as who we are. */
  readonly as: RunAs | undefined
  /**
   * Ends every process of the account, so that nobody changes any more what is taken over from it.
   * @throws {Problem} `hostd_install_failed` when one does not end
   */
  end(): Promise<void>
}

/** @throws {Problem} `hostd_install_failed` when this host should have the account and does not */
export async function buildAccount(
  paths: HostPaths,
  { launcher }: Pick<HostSettings, 'launcher'>,
): Promise<BuildAccount> {
  const home = buildHome(paths)
  if (launcher !== 'systemd') {
    mkdirSync(home, { recursive: true })
    return { home, as: undefined, end: async () => undefined }
  }
  const account = await findAccount(buildUser)
  if (account === null || account.uid === 0)
    throw new Problem(
      'hostd_install_failed',
      `The account ${buildUser} does not exist; \`hq install hostd\` creates it. The running hostd is untouched.`,
    )
  const as = { ...account, home }
  return { home, as, end: () => endAccount(as) }
}

/** Living processes with this account as any of their user ids. */
function processesOf(uid: number): number[] {
  return processIds().flatMap((pid) => {
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8')
      const dead = /^State:\s+[ZX]/m.test(status)
      return !dead && /^Uid:\s+(.*)$/m.exec(status)?.[1]?.split(/\s+/).includes(String(uid))
        ? [pid]
        : []
    } catch {
      return [] // it has ended between the listing and this read
    }
  })
}

/**
 * By the account itself: the kernel then signals every process of it in one go, and no fork comes in between. One that
 * starts its next and ends is always ahead of a list of processes, so this comes first, and the list only says who is
 * not gone yet.
 */
const killAll = [process.execPath, '-e', "process.kill(-1, 'SIGKILL')"]

async function endAccount(as: RunAs): Promise<void> {
  // Where processes are hidden the list would be empty, whatever runs.
  if (!existsSync('/proc/1'))
    throw new Problem(
      'hostd_install_failed',
      'Processes cannot be listed on this host. The running hostd is untouched.',
    )
  for (const end = Date.now() + endMs; ;) {
    await runCommand(killAll, { cwd: '/', env: baseEnv(), timeLimitSeconds: 10, as })
    const left = processesOf(as.uid)
    if (left.length === 0) return
    if (Date.now() > end)
      throw new Problem(
        'hostd_install_failed',
        `Processes of ${buildUser} do not end: ${left.join(', ')}. The running hostd is untouched.`,
      )
    await delay(20)
  }
}
