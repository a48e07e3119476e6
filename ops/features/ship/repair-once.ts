// One repair as a pipeline in its own folder of the proof.
import { join } from 'node:path'
import type { Repair, ResultDocument } from '#shared/result'
import { runPipeline } from '#ops/core/pipeline/pipeline'
import { repairSteps } from './pipeline.ts'
import type { RepairFacts } from './repair/repair-step.ts'
import type { RunIO } from './ship-attempt.ts'

/** A repair takes this much longer than its implementer, in seconds: the copy, the commit and the diff. */
const marginSeconds = 900

export interface Repaired {
  readonly repair: Repair
  /** Name to path, relative to the proof. */
  readonly artifacts: Record<string, string>
  readonly document: ResultDocument
}

/**
 * It never throws for a repair that fails.
 * @param root folder of the whole proof
 */
export async function repairOnce(
  input: Omit<RepairFacts, 'implementer' | 'commit' | 'tree' | 'changed' | 'artifacts'>,
  root: string,
  { emit, signal }: RunIO,
): Promise<Repaired> {
  const { settings, frozen, number, runId } = input
  const folder = `repairs/${number}`
  let facts: RepairFacts = {
    ...input,
    settings: { ...settings, review: frozen.review },
    implementer: settings.until_green.argv?.[0] ?? 'codex',
    commit: null,
    tree: null,
    changed: '',
    artifacts: {},
  }
  const document = await runPipeline<RepairFacts, ResultDocument>({
    action: 'ship',
    runId,
    attempt: number,
    facts,
    dir: join(root, folder),
    resultFile: 'repair_result.json',
    signal,
    emit,
    steps: repairSteps(settings.until_green.timeout_seconds + marginSeconds),
    finish: async (known) => {
      facts = known
    },
    document: (base, { commit, tree, artifacts }) => ({
      ...base,
      git_head: commit,
      git_tree: tree,
      artifacts: { ...base.artifacts, ...artifacts },
    }),
  })
  return {
    document,
    repair: repairRecord(facts, folder, document),
    artifacts: Object.fromEntries(
      Object.entries(document.artifacts).map(([name, path]) => [
        `repair_${number}_${name}`,
        `${folder}/${path}`,
      ]),
    ),
  }
}

function repairRecord(facts: RepairFacts, folder: string, document: ResultDocument): Repair {
  const [step] = document.steps
  return {
    number: facts.number,
    folder,
    implementer: facts.implementer,
    commit: document.overall === 'PASS' ? facts.commit : null,
    error_class: document.error_class,
    detail: step?.detail ?? facts.changed,
    duration_ms: step?.duration_ms ?? 0,
  }
}
