import { join } from 'node:path'
import type { OperatorSettings } from '#shared/config'
import { Problem } from '#shared/errors'
import type { Repair, ResultDocument, ShipResult } from '#shared/result'
import { runPipeline } from '#ops/core/pipeline/pipeline'
import { readOperatorSettings } from '#ops/core/config/settings-files'
import { failureOf, fingerprintOf } from './repair/failure-evidence.ts'
import type { Failure } from './repair/implementer-prompt.ts'
import { closeUntilGreen, type Tried } from './until-green-proof.ts'
import { repairStep, type RepairState } from './repair/repair-step.ts'
import { runAttempt, type Hands } from './ship-attempt.ts'
import { newShip, type Frozen, type Ship } from './state/ship-state.ts'

const now = (): string => new Date().toISOString()

/** As they are before a test of the change runs. Settings that cannot be read end the first attempt, which says why. */
function settingsBefore(home: string): OperatorSettings | null {
  try {
    return readOperatorSettings(home)
  } catch (error) {
    if (error instanceof Problem) return null
    throw error
  }
}

interface Repaired {
  readonly repair: Repair
  readonly artifacts: Record<string, string>
  readonly document: ResultDocument
}

/** One repair as a pipeline of one step, in a folder of its own. It never throws for a repair that fails. */
async function repairOnce(
  ship: Ship,
  root: string,
  number: number,
  frozen: Frozen,
  failure: Failure,
  settings: OperatorSettings,
  { emit, signal }: Hands,
): Promise<Repaired> {
  const folder = `repairs/${number}`
  const state: RepairState = {
    implementer: settings.until_green.argv?.[0] ?? 'codex',
    commit: null,
    tree: null,
    detail: '',
    artifacts: {},
  }
  const document = await runPipeline<object, ResultDocument>({
    action: 'ship',
    runId: ship.runId,
    attempt: number,
    facts: {},
    dir: join(root, folder),
    resultFile: 'repair_result.json',
    signal,
    emit,
    steps: [
      repairStep(
        {
          repo: ship.repo,
          runId: ship.runId,
          number,
          frozen,
          failure,
          settings: { ...settings, review: frozen.review },
          env: ship.env,
        },
        state,
      ),
    ],
    document: (base) => ({
      ...base,
      git_head: state.commit,
      git_tree: state.tree,
      artifacts: { ...base.artifacts, ...state.artifacts },
    }),
  })
  const [step] = document.steps
  const commit = document.overall === 'PASS' ? state.commit : null
  return {
    document,
    repair: {
      number,
      folder,
      implementer: state.implementer,
      commit,
      error_class: document.error_class,
      detail: step?.detail ?? state.detail,
      duration_ms: step?.duration_ms ?? 0,
    },
    artifacts: Object.fromEntries(
      Object.entries(document.artifacts).map(([name, path]) => [
        `repair_${number}_${name}`,
        `${folder}/${path}`,
      ]),
    ),
  }
}

/**
 * `hq ship --until-green`: the gates, and while tests fail or the reviewer refuses, a repair by the implementer of the
 * operator's settings and the same gates again, on the commit HQ made of it. It stops at the bound, at a failure that was
 * there before, at a repair without a change, and at every other class. The operator's branch moves once, by fast-forward,
 * to what has passed tests and review.
 *
 * @param first the ship of HEAD; its folder is the proof's
 * @param bound most repairs
 * @param onShip is told of each attempt's state
 * @returns the result of the last attempt with all that led to it, which is also the last event
 */
export async function shipUntilGreen(
  first: Ship,
  bound: number,
  hands: Hands,
  onShip: (ship: Ship) => void,
): Promise<ShipResult> {
  const root = first.dir
  const settings = settingsBefore(first.home)
  // The window shows one ship: an attempt that has ended is not the end of it.
  const quiet: Hands = {
    ...hands,
    emit: (event) => {
      if (event.type !== 'run_finished') hands.emit(event)
    },
  }
  const say = (text: string): void =>
    hands.emit({ type: 'log', time: now(), step: null, stream: 'hq', text })
  const tried: Tried[] = []
  const repairs: Repair[] = []
  const seen = new Set<string>()
  let artifacts: Record<string, string> = {}
  const end = (stopped: string, failed: ResultDocument | null): Promise<ShipResult> => {
    say(`until green: ${stopped}`)
    return closeUntilGreen({ root, bound, tried, repairs, artifacts, stopped, failed }, hands.emit)
  }

  let ship: Ship = { ...first, dir: join(root, 'attempts', '1') }
  for (let number = 1; ; number += 1) {
    onShip(ship)
    const { result, problem } = await runAttempt(ship, quiet, number)
    tried.push({ ship, result })
    if (problem === null)
      return end(
        repairs.length === 0
          ? 'passed without a repair'
          : `passed after ${repairs.length} ${repairs.length === 1 ? 'repair' : 'repairs'}`,
        null,
      )
    const failure = failureOf(ship.dir, result, problem)
    const { frozen } = ship
    if (failure === null || frozen === null || settings === null)
      return end(`${problem.errorClass} is not repaired`, null)
    const fingerprint = fingerprintOf(failure)
    if (seen.has(fingerprint)) return end('the same failure again', null)
    seen.add(fingerprint)
    if (repairs.length >= bound)
      return end(`repair ${repairs.length} of ${bound} was the last`, null)

    const repaired = await repairOnce(
      ship,
      root,
      repairs.length + 1,
      frozen,
      failure,
      settings,
      quiet,
    )
    repairs.push(repaired.repair)
    artifacts = { ...artifacts, ...repaired.artifacts }
    const { commit } = repaired.repair
    if (commit === null)
      return end(
        `repair ${repairs.length} came to nothing: ${repaired.repair.error_class ?? 'no commit'}`,
        repaired.document,
      )
    const { runId, repo, home, env } = first
    ship = {
      ...newShip({ runId, repo, home, env, dir: join(root, 'attempts', String(number + 1)) }),
      key: ship.key,
      candidate: { commit, start: tried[0]?.ship.head ?? frozen.head },
      pinned: tried[0]?.ship.frozen ?? frozen,
    }
  }
}
