import { topLevel } from '../git/work-tree.ts'
import { readNextAction, setNextAction } from '../next-action.ts'

interface NextOptions { readonly repo: string }

/** `hq next show` @returns the exit code */
export async function show({ repo }: NextOptions): Promise<number> {
  process.stdout.write(`${readNextAction(await topLevel(repo))}\n`)
  return 0
}

/** `hq next set TEXT` @returns the exit code */
export async function set({ repo, text }: NextOptions & { readonly text: string }): Promise<number> {
  const root = await topLevel(repo)
  setNextAction(root, text)
  process.stdout.write(`${readNextAction(root)}\n`)
  return 0
}
