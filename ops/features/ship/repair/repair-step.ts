// Has the implementer repair the commit that failed, in a copy, and makes one commit of what it leaves there.
import { join } from 'node:path'
import type { OperatorSettings } from '#shared/config'
import { Problem } from '#shared/errors'
import { shortCommit } from '#shared/ids'
import { plural } from '#shared/plural'
import type { ShipStep } from '#shared/steps'
import type { Environment } from '#ops/base/env'
import { treeOf } from '#ops/platform/git/commits'
import { withNeutralGit } from '#ops/platform/git/neutral-diff'
import { gitText, type GitOptions } from '#ops/platform/git/run-git'
import { writeWhole } from '#ops/base/files/json-file'
import type { Step, FactContext } from '#ops/core/pipeline/pipeline'
import type { Frozen } from '#ops/features/ship/state/ship-facts'
import { commitTree } from './commit-tree.ts'
import { implementerOf } from './implementer.ts'
import { withImplementerFolder, type ImplementerFolder } from './implementer-folder.ts'
import { implementerPrompt, type Failure } from './implementer-prompt.ts'
import { runImplementer } from './implementer-run.ts'

export const repairFiles = { prompt: 'implementer_prompt.txt', diff: 'repair.patch' } as const

/** Keeps the last repair of a ship from being collected, whatever happens to it. */
export const repairRef = (runId: string): string => `refs/openclaw/repairs/${runId}`

export interface RepairFacts {
  readonly repo: string
  readonly runId: string
  readonly number: number
  readonly frozen: Frozen
  readonly failure: Failure
  /** With the review as it was frozen. */
  readonly settings: OperatorSettings
  readonly env: Environment
  /** What the implementer is. */
  readonly implementer: string
  readonly commit: string | null
  readonly tree: string | null
  /** Which files the repair changed; empty before. */
  readonly changed: string
  readonly artifacts: Readonly<Record<string, string>>
}

type Context = FactContext<RepairFacts>

/**
 * The operator's branch, index and working tree are not touched; only a ref of HQ keeps the commit.
 *
 * @throws (from the step) `implementer_failed`, `implementer_timeout`, `repair_without_change`
 */
export const repairStep = (timeLimitSeconds: number): Step<RepairFacts, ShipStep> => ({
  name: 'repair',
  timeLimitSeconds,
  run: async (facts, context) => {
    const { repo, runId, frozen } = facts
    const prompt = promptOf(facts)
    writeWhole(join(context.dir, repairFiles.prompt), prompt)
    const prompted = withArtifact(facts, 'implementer_prompt', repairFiles.prompt)
    context.note({ artifacts: prompted.artifacts })
    return withImplementerFolder(
      { repo, runId, commit: frozen.head },
      async (copy) => {
        const ran = await runIn(copy, { ...prompted, prompt }, context)
        const made = await commitRepair(copy, ran, context)
        const { commit, tree, changed, artifacts } = made
        return {
          facts: { commit, tree, changed, artifacts },
          detail: `${shortCommit(commit)} on top of ${shortCommit(frozen.head)}, ${changed}`,
        }
      },
      { signal: context.signal },
    )
  },
})

const promptOf = ({ failure, frozen: { base, head, gates } }: RepairFacts): string =>
  implementerPrompt({
    failure,
    base,
    head,
    suites: gates.suites,
    protectedPaths: gates.protectedPaths,
  })

const withArtifact = (facts: RepairFacts, name: string, path: string): RepairFacts => ({
  ...facts,
  artifacts: { ...facts.artifacts, [name]: path },
})

/** Runs the implementer in the copy. @returns the facts with its name and output */
async function runIn(
  { folder, scratch }: ImplementerFolder,
  { prompt, ...facts }: RepairFacts & { readonly prompt: string },
  context: Context,
): Promise<RepairFacts> {
  const { repo, frozen, settings, env, number, failure } = facts
  const commit = { repo, head: frozen.head }
  const implementer = await implementerOf(settings, { folder, scratch, env, commit }, context)
  const { artifacts } = withArtifact(facts, 'implementer_output', implementer.output)
  const ran = { ...facts, implementer: implementer.name, artifacts }
  context.note({ implementer: ran.implementer, artifacts })
  context.log(`repair ${number} of ${failure.errorClass}: ${implementer.name}`)
  await runImplementer(implementer, { prompt, folder }, context)
  return ran
}

/** @throws {Problem} `repair_without_change` */
async function commitRepair(
  { takeTree }: ImplementerFolder,
  facts: RepairFacts,
  context: Context,
): Promise<RepairFacts & { commit: string }> {
  const { repo, runId, number, failure, implementer } = facts
  const { head } = facts.frozen
  const options: GitOptions = { signal: context.signal }
  const tree = await takeTree()
  if (tree === (await treeOf(repo, head, options)))
    throw new Problem(
      'repair_without_change',
      'The implementer ended and left every file as it was. Nothing was pushed; the branch is as it was.',
    )
  const message = `Repair ${failure.errorClass} (until green, ${number})\n\nMade by ${implementer} in ship ${runId}.\n`
  const commit = await commitTree({ repo, tree, parent: head, message }, options)
  await gitText(repo, ['update-ref', '--no-deref', repairRef(runId), commit], options)
  const paths = await withNeutralGit(
    repo,
    async (neutral) => {
      await neutral.diffTo(join(context.dir, repairFiles.diff), head, commit)
      return (await neutral.changedFiles(head, commit)).map(({ path }) => path)
    },
    options,
  )
  return { ...withArtifact(facts, 'repair', repairFiles.diff), commit, tree, changed: list(paths) }
}

function list(paths: readonly string[]): string {
  const count = plural(paths.length, 'file')
  return `${count} changed: ${paths.slice(0, 5).join(', ')}${paths.length > 5 ? ' and more' : ''}`
}
