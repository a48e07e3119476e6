// Who refused a push, and why, from what git printed.
import { existsSync } from 'node:fs'
import type { CommandResult } from '#ops/base/process/command'
import { causeOf, gitFailure } from './run-git.ts'
import { gitPath } from './work-tree.ts'

export interface PushRefusal {
  /** `hook`: the pre-push hook of this repository. `unknown`: nobody said; the connection may have failed. */
  readonly by: 'hook' | 'remote' | 'unknown'
  /** Why, as the side that refused says it. */
  readonly why: string
  /** What git says of the first refused ref, in its brackets; null: of none. */
  readonly ofRef: string | null
  readonly evidence: readonly string[]
}

/** @param pushed a push with `--porcelain` that failed */
export async function pushRefusal(repo: string, pushed: CommandResult): Promise<PushRefusal> {
  const refs = pushed.stdout.split('\n').filter((line) => line.startsWith('!'))
  const said = gitFailure(pushed)
  const evidence = [...refs, ...said]
  const ofRef = /\[(?:remote )?rejected\] \((.*)\)/.exec(refs[0] ?? '')?.[1] ?? null
  const cause = causeOf(said)
  if (refs.length > 0) {
    // Without a word of the remote, git only repeats that it failed.
    const remote = said.some((line) => isRemote.test(line)) ? cause : null
    const why = [ofRef, remote].filter((each) => each !== null).join(': ')
    return { by: 'remote', why: why === '' ? 'no reason given' : why, ofRef, evidence }
  }
  // git-push(1) ends with 1 when a hook refuses, and with 128 when it cannot reach or read the remote.
  const isHook =
    pushed.exitCode === 1 && existsSync(await gitPath(repo, 'hooks/pre-push', { hooks: true }))
  return { by: isHook ? 'hook' : 'unknown', why: cause ?? 'no reason given', ofRef, evidence }
}

const isRemote = /^remote: *\S/
