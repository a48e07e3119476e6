// Removes what a killed ship left: its processes, worktrees and temporary folders.
import { readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { endTree } from '#ops/base/process/process-tree'
import { sweepTemporary } from '#ops/base/process/temporary-folder'
import { sweepWorktrees } from '#ops/platform/git/linked-worktree'
import { repairPrefix } from '#ops/features/ship/repair/implementer-folder'
import { scratchPrefix } from '#ops/features/ship/review/review-step'

/**
 * Call it with the lock held.
 * @param lost run id of the ship that held the lock before and was killed, or null
 */
export async function sweepKilledShip(
  repo: string,
  lost: string | null,
  log: (text: string) => void,
): Promise<void> {
  if (lost !== null) {
    log(`the ship ${lost} was killed; ending the processes that it left`)
    const stuck = await endTree({ marker: `OPENCLAW_RUN_ID=${lost}` })
    if (stuck.length > 0) log(`its processes ${stuck.join(', ')} did not end`)
    const prefixes = [scratchPrefix, repairPrefix].map((of) => of(lost))
    for (const name of readdirSync(tmpdir()).filter((each) =>
      prefixes.some((start) => each.startsWith(start)),
    ))
      rmSync(join(tmpdir(), name), { recursive: true, force: true })
  }
  for (const folder of sweepTemporary()) log(`removed ${folder}, whose process was killed`)
  for (const folder of await sweepWorktrees(repo))
    log(`removed the worktree ${folder} of a killed ship`)
}
