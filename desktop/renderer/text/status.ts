import type { Gate } from '#shared/state/gates'
import { troubleOf, type ProofTrouble } from '#shared/state/proof'
import type { Tone } from '#shared/state/tone'
import { errorRule, type ErrorClass } from '#shared/errors'
import type { CheckResult, StepStatus } from '#shared/result'
import type { Run, RunStatus } from '#shared/run'
import { isDeploy } from '#shared/state/running'

export type { Tone }
export interface Shown {
  readonly tone: Tone
  readonly word: string
}

export function isBlocked(errorClass: ErrorClass | null | undefined): boolean {
  return errorClass !== null && errorClass !== undefined && errorRule(errorClass).blocked === true
}

/** The tone of a stopped run: broken, refused by a rule, interrupted, or cancelled. */
export function toneOfClass(errorClass: ErrorClass): Tone {
  if (errorClass === 'cancelled') return 'skip'
  if (errorClass === 'interrupted') return 'warn'
  return isBlocked(errorClass) ? 'blocked' : 'fail'
}

const stepWords: Record<StepStatus, Shown> = {
  waiting: { tone: 'wait', word: 'Waiting' },
  running: { tone: 'running', word: 'Running' },
  passed: { tone: 'pass', word: 'Pass' },
  failed: { tone: 'fail', word: 'Failed' },
  skipped: { tone: 'skip', word: 'Skip' },
  cancelled: { tone: 'skip', word: 'Cancelled' },
  not_reached: { tone: 'skip', word: 'Not reached' },
}
export const ofStep = (status: StepStatus, errorClass: ErrorClass | null = null): Shown =>
  status === 'failed' && isBlocked(errorClass)
    ? { tone: 'blocked', word: 'Blocked' }
    : stepWords[status]

const runWords: Record<RunStatus, Shown> = {
  queued: { tone: 'wait', word: 'Queued' },
  running: { tone: 'running', word: 'Running' },
  passed: { tone: 'pass', word: 'Pass' },
  failed: { tone: 'fail', word: 'Failed' },
  cancelled: { tone: 'skip', word: 'Cancelled' },
  interrupted: { tone: 'warn', word: 'Interrupted' },
  runner_lost: { tone: 'fail', word: 'Lost' },
}
export const ofRun = (status: RunStatus, errorClass: ErrorClass | null = null): Shown =>
  status === 'failed' && isBlocked(errorClass)
    ? { tone: 'blocked', word: 'Blocked' }
    : runWords[status]

/** A proof that nothing can rest on. */
export const ofTrouble: Record<ProofTrouble['state'], Shown> = {
  broken: { tone: 'fail', word: 'Broken' },
  unreadable: { tone: 'fail', word: 'Unreadable' },
}

/** A deploy whose proof is broken is not green any more, however it ended. */
export function ofDeploy(run: Run, troubles: readonly ProofTrouble[]): Shown {
  const trouble = isDeploy(run) ? troubleOf(troubles, 'deploy', run.run_id) : null
  if (trouble === null) return ofRun(run.status, run.error_class)
  const { tone } = ofTrouble[trouble.state]
  return { tone, word: trouble.state === 'broken' ? 'Broken proof' : 'Unreadable result' }
}

export function ofOverall(overall: 'PASS' | 'FAIL', errorClass: ErrorClass | null = null): Shown {
  if (overall === 'PASS') return runWords.passed
  if (errorClass === 'cancelled' || errorClass === 'interrupted') return runWords[errorClass]
  return ofRun('failed', errorClass)
}

const checkWords: Record<CheckResult['status'], Shown> = {
  PASS: { tone: 'pass', word: 'Pass' },
  WARN: { tone: 'warn', word: 'Warn' },
  FAIL: { tone: 'fail', word: 'Fail' },
  SKIP: { tone: 'skip', word: 'Skip' },
}
export const ofCheck = (status: CheckResult['status']): Shown => checkWords[status]

const gateWords: Record<Gate['state'], Shown> = {
  pass: { tone: 'pass', word: 'Pass' },
  fail: { tone: 'fail', word: 'Failed' },
  blocked: { tone: 'blocked', word: 'Blocked' },
  unproven: { tone: 'warn', word: 'Not proven' },
  running: { tone: 'running', word: 'Running' },
  waiting: { tone: 'wait', word: 'Waiting' },
}
/** @param detail the class, when it stopped: a cancelled one broke nothing */
export const ofGate = (state: Gate['state'], detail: string | null = null): Shown =>
  state === 'fail' && detail !== null && Object.hasOwn(failedWords, detail)
    ? (failedWords[detail] ?? gateWords[state])
    : gateWords[state]
/** Gates that failed in a way that has its own word. */
const failedWords: Readonly<Record<string, Shown>> = {
  cancelled: runWords.cancelled,
  interrupted: runWords.interrupted,
  broken: { tone: 'fail', word: 'Broken' },
  unreadable: { tone: 'fail', word: 'Unreadable' },
}

export const gateTitles: Record<Gate['name'], string> = {
  tests: 'Tests',
  review: 'Review',
  pushed: 'Pushed',
  deployed: 'Deployed',
  verified: 'Verified',
  proof: 'Proof',
}
