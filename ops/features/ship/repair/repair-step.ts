import type { Environment } from '#ops/base/env'
import { join } from 'node:path'
import type { OperatorSettings } from '#shared/config'
import { Problem } from '#shared/errors'
import { treeOf } from '#ops/platform/git/commits'
import { withNeutralGit } from '#ops/platform/git/neutral-diff'
import { gitText } from '#ops/platform/git/run-git'
import { writeWhole } from '#ops/base/files/json-file'
import type { Step } from '#ops/core/pipeline/pipeline'
import { commitTree, withImplementerFolder } from './implementer-folder.ts'
import { implementerPrompt, type Failure } from './implementer-prompt.ts'
import { implementerOf, runImplementer } from './implementer-run.ts'
import type { Frozen } from '#ops/features/ship/state/ship-state'

export const repairFiles = { prompt: 'implementer_prompt.txt', diff: 'repair.patch' } as const

/** Keeps the last repair of a ship from being collected, whatever becomes of it. */
export const repairRef = (runId: string): string => `refs/openclaw/repairs/${runId}`

/** What a repair found out, kept outside the engine because a step that fails has found facts as well. */
export interface RepairState {
  implementer: string
  commit: string | null
  tree: string | null
  detail: string
  artifacts: Record<string, string>
}

interface RepairInput {
  readonly repo: string
  readonly runId: string
  readonly number: number
  readonly frozen: Frozen
  readonly failure: Failure
  /** With the review as it was frozen. */
  readonly settings: OperatorSettings
  readonly env: Environment
}

/**
 * Has the implementer mend the commit that failed, in a copy, and makes one commit of what it leaves there. The operator's
 * branch, index and working tree are not touched; only a ref of HQ's own keeps the commit.
 *
 * @throws (from the step) `implementer_failed`, `implementer_timeout`, `repair_without_change`
 */
export const repairStep = (input: RepairInput, state: RepairState): Step<object> => ({
  name: 'repair',
  timeLimitSeconds: input.settings.until_green.timeout_seconds + 900,
  run: async (_facts, context) => {
    const {
      repo,
      runId,
      number,
      frozen: { head, base, gates },
      failure,
      settings,
      env,
    } = input
    const options = { signal: context.signal }
    const prompt = implementerPrompt({
      failure,
      base,
      head,
      suites: gates.suites,
      protectedPaths: gates.protectedPaths,
    })
    writeWhole(join(context.dir, repairFiles.prompt), prompt)
    state.artifacts['implementer_prompt'] = repairFiles.prompt
    return withImplementerFolder(
      repo,
      runId,
      head,
      async ({ folder, scratch, takeTree }) => {
        const implementer = await implementerOf(settings, { folder, scratch, env }, context.signal)
        state.implementer = implementer.name
        state.artifacts['implementer_output'] = implementer.output
        context.log(`repair ${number} of ${failure.errorClass}: ${implementer.name}`)
        await runImplementer(implementer, prompt, folder, context)
        const tree = await takeTree()
        if (tree === (await treeOf(repo, head, options)))
          throw new Problem(
            'repair_without_change',
            'The implementer ended and left every file as it was. Nothing was pushed; the branch is as it was.',
          )
        const commit = await commitTree(
          repo,
          tree,
          head,
          `Repair ${failure.errorClass} (until green, ${number})\n\nMade by ${implementer.name} in ship ${runId}.\n`,
          options,
        )
        await gitText(repo, ['update-ref', '--no-deref', repairRef(runId), commit], options)
        const files = await withNeutralGit(
          repo,
          async (neutral) => {
            await neutral.diffTo(join(context.dir, repairFiles.diff), head, commit)
            return neutral.changedFiles(head, commit)
          },
          options,
        )
        state.artifacts['repair'] = repairFiles.diff
        Object.assign(state, { commit, tree })
        state.detail = `${files.length} ${files.length === 1 ? 'file' : 'files'} changed: ${files
          .slice(0, 5)
          .map(({ path }) => path)
          .join(', ')}${files.length > 5 ? ' and more' : ''}`
        return { detail: `${commit.slice(0, 12)} on top of ${head.slice(0, 12)}, ${state.detail}` }
      },
      options,
    )
  },
})
