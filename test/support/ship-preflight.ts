import { expect } from 'vitest'
import type { FactContext } from '#ops/core/pipeline/pipeline'
import {
  initialFacts,
  preflightStep,
  takeShipLock,
  type ShipFacts,
  type ShipLock,
} from '#ops/features/ship/index'
import { Problem } from '#shared/errors'
import { newRunId } from '#shared/ids'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ShipRepo } from './ship-repo.ts'
import type { ExpectedStop } from './ship-stop.ts'
import { expectRefusal, stepContext } from './step-context.ts'

export interface PreflightEnd {
  readonly facts: ShipFacts
  readonly problem: Problem | null
}

/** Runs the preflight step of a ship in this process. @throws what is not a Problem */
export async function runPreflight(
  { repo, home, temp }: ShipRepo,
  env: Readonly<Record<string, string>> = {},
): Promise<PreflightEnd> {
  const runId = newRunId()
  const dir = join(temp, `preflight-${runId}`)
  mkdirSync(dir)
  let facts = initialFacts({ runId, repo, home, dir, env, hostName: 'laptop' })
  let lock: ShipLock | null = null
  const context: FactContext<ShipFacts> = {
    ...stepContext(dir),
    note: (more) => {
      facts = { ...facts, ...more }
    },
  }
  const take = async (commit: string): Promise<ShipLock> =>
    (lock = await takeShipLock(repo, runId, commit))
  try {
    const outcome = await preflightStep(take).run(facts, context)
    return { facts: { ...facts, ...outcome?.facts }, problem: null }
  } catch (error) {
    if (error instanceof Problem) return { facts, problem: error }
    throw error
  } finally {
    ;(lock as ShipLock | null)?.release()
  }
}

/** Preflight refuses with this class, fix and exit code; it names the commit, and the refs of origin are unchanged. */
export async function expectPreflightStop(
  sample: ShipRepo,
  expected: Omit<ExpectedStop, 'step'>,
  env?: Readonly<Record<string, string>>,
): Promise<void> {
  const before = sample.remoteRefs()
  const head = sample.git('rev-parse', 'HEAD')
  const { facts, problem } = await runPreflight(sample, env)
  expectRefusal(problem, expected)
  expect([facts.head, facts.frozen, facts.pushedSha]).toEqual([head, null, null])
  expect(sample.remoteRefs()).toEqual(before)
  expect(sample.leftovers(facts.runId)).toEqual([])
}
