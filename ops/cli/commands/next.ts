import { topLevel } from '#ops/platform/git/work-tree'
import { commitNextAction } from '#ops/features/ship/next-commit'
import { readNextAction, setNextAction } from '#ops/core/config/next-action'

interface NextOptions {
  readonly repo: string
}

/** `hq next show`: prints the next action. @returns the exit code */
export async function show({ repo }: NextOptions): Promise<number> {
  process.stdout.write(`${readNextAction(await topLevel(repo))}\n`)
  return 0
}

/** `hq next set TEXT [--commit]`: writes the next action. @returns the exit code */
export async function set({
  repo,
  text,
  commit = false,
}: NextOptions & {
  readonly text: string
  /** Commit the change, for the next ship. */
  readonly commit?: boolean
}): Promise<number> {
  const root = await topLevel(repo)
  if (commit) await commitNextAction(root, text)
  else setNextAction(root, text)
  process.stdout.write(`${readNextAction(root)}\n`)
  return 0
}
