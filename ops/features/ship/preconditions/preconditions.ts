// May this commit be shipped? The one list of conditions: HQ checks it before it offers the button, preflight when a
// ship starts.
import { Problem, type ErrorClass } from '#shared/errors'
import { checkConfigAndBranch, checkNextAction, checkTrackedProof } from './commit.ts'
import { checkCodexSkip, checkHooks, checkProductionHost, type Machine } from './environment.ts'
import {
  checkHasRemote,
  checkNotBehind,
  checkOneAddress,
  checkSomethingToShip,
  type RemoteView,
  type ShippedBefore,
} from './remote.ts'
import { checkReviewer, type Shipper } from './programs.ts'
import { refuse, type Unmet } from './unmet.ts'
import {
  checkDirtyTree,
  checkHiddenChanges,
  checkReplacedObjects,
  checkUnfinishedOperation,
} from './working-tree.ts'

/** What the conditions are about. */
export interface Subject extends Machine, Shipper {
  /** Known once origin was fetched, or as the last fetch left it; null: nothing is known of origin's branch. */
  readonly remote: RemoteView | null
  /** Known once the review base is found; null: nothing is known yet. */
  readonly before: ShippedBefore | null
}

/**
 * When preflight checks it: at the `start`, before it takes the lock; of the `commit`, before it fetches; when origin
 * is `fetched`; when the review `base` is found.
 */
type Stage = 'start' | 'commit' | 'fetched' | 'base'

export interface Precondition {
  readonly name: string
  readonly stage: Stage
  readonly errorClasses: readonly ErrorClass[]
  /** Null when it is met. @throws {Problem} of the same classes, from a reader of configuration or next action */
  readonly check: (subject: Subject) => Unmet | null | Promise<Unmet | null>
}

export const shipPreconditions: readonly Precondition[] = [
  {
    name: 'not_a_production_host',
    stage: 'start',
    errorClasses: ['host_guard_production'],
    check: checkProductionHost,
  },
  {
    name: 'codex_skip_unset',
    stage: 'start',
    errorClasses: ['codex_skip_set'],
    check: checkCodexSkip,
  },
  {
    name: 'reviewer_outside_repository',
    stage: 'start',
    errorClasses: ['program_in_repository'],
    check: checkReviewer,
  },
  { name: 'hooks_on', stage: 'start', errorClasses: ['hook_bypass'], check: checkHooks },
  {
    name: 'no_unfinished_operation',
    stage: 'commit',
    errorClasses: ['unfinished_git_operation'],
    check: checkUnfinishedOperation,
  },
  {
    name: 'no_replaced_objects',
    stage: 'commit',
    errorClasses: ['replace_refs'],
    check: checkReplacedObjects,
  },
  {
    name: 'no_hidden_changes',
    stage: 'commit',
    errorClasses: ['hidden_changes'],
    check: checkHiddenChanges,
  },
  { name: 'clean_tree', stage: 'commit', errorClasses: ['dirty_tree'], check: checkDirtyTree },
  {
    name: 'proof_folder_free',
    stage: 'commit',
    errorClasses: ['artifacts_tracked'],
    check: checkTrackedProof,
  },
  {
    name: 'configuration_and_branch',
    stage: 'commit',
    errorClasses: ['config_missing', 'config_invalid', 'wrong_branch'],
    check: checkConfigAndBranch,
  },
  {
    name: 'origin_configured',
    stage: 'commit',
    errorClasses: ['remote_unreachable'],
    check: checkHasRemote,
  },
  {
    name: 'one_address_of_origin',
    stage: 'commit',
    errorClasses: ['push_address_differs'],
    check: checkOneAddress,
  },
  {
    name: 'not_behind_origin',
    stage: 'fetched',
    errorClasses: ['behind_remote', 'diverged_from_remote'],
    check: (subject) => (subject.remote ? checkNotBehind(subject, subject.remote) : null),
  },
  {
    name: 'something_to_ship',
    stage: 'base',
    errorClasses: ['nothing_to_ship'],
    check: (subject) =>
      subject.remote && subject.before
        ? checkSomethingToShip(subject, subject.remote, subject.before)
        : null,
  },
  {
    name: 'one_next_action',
    stage: 'base',
    errorClasses: ['next_action_invalid'],
    check: checkNextAction,
  },
]

/** @throws {Problem} of the first condition of this stage that is not met */
export async function refuseUnmet(stage: Stage, subject: Subject): Promise<void> {
  for (const each of shipPreconditions) if (each.stage === stage) refuse(await each.check(subject))
}

/** The first condition that is not met; null: the commit may be shipped. For HQ, before a ship starts. */
export async function firstUnmet(subject: Subject): Promise<Unmet | null> {
  for (const { check, errorClasses } of shipPreconditions) {
    const unmet = await orProblem(errorClasses, () => check(subject))
    if (unmet) return unmet
  }
  return null
}

/** A Problem of these classes becomes what it says; any other error is thrown on. */
async function orProblem(
  errorClasses: readonly ErrorClass[],
  check: () => ReturnType<Precondition['check']>,
): Promise<Unmet | null> {
  try {
    return await check()
  } catch (error) {
    if (error instanceof Problem && errorClasses.includes(error.errorClass))
      return { errorClass: error.errorClass, sentence: error.message, evidence: error.evidence }
    throw error
  }
}

/** A repository without a commit. */
export const noCommit = (repo: string): Unmet => ({
  errorClass: 'nothing_to_ship',
  sentence: `${repo} has no commit yet.`,
})
