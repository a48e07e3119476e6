import type { CheckResult } from '#shared/result'
import { answerViolations } from './answer-violations.ts'
import { chainViolations, hazardViolations } from './chain-violations.ts'
import { composeViolations } from './compose-violations.ts'
import { hostdViolations } from './hostd-violations.ts'
import { pullOnlyViolations } from './pull-only-violations.ts'
import { makeRepositories, type Repositories } from './repositories.ts'
import { shipViolations } from './ship-violations.ts'
import { openWorkspace, type Workspace } from './workspace.ts'
import { tryGroup, type ViolationGroup } from './violation.ts'
import { socketViolations, wayViolations } from './port-violations.ts'
import { proofViolations } from './proof-violations.ts'
import { redactionViolations } from './redaction-violations.ts'
import { testsViolations } from './tests-violations.ts'

/** The groups that start programs come first, because they take longest. Groups that use repositories share one set. */
function groupsOf(workspace: Workspace): readonly ViolationGroup[] {
  let repositories: Promise<Repositories> | undefined
  const made = (): Promise<Repositories> => (repositories ??= makeRepositories(workspace))
  return [
    hostdViolations,
    shipViolations(made),
    chainViolations(made),
    pullOnlyViolations(made),
    hazardViolations(made),
    socketViolations,
    composeViolations,
    wayViolations,
    testsViolations,
    answerViolations,
    proofViolations,
    redactionViolations,
  ]
}

/**
 * Makes violations of every guard in a temporary workspace, and checks that each is refused as expected and its control
 * is accepted. It changes nothing outside of the workspace.
 * @returns a check for each violation; SKIP where it cannot be made on this machine
 */
export async function runSelftest(signal: AbortSignal): Promise<CheckResult[]> {
  const workspace = await openWorkspace()
  try {
    return (
      await Promise.all(groupsOf(workspace).map((group) => tryGroup(group, workspace, signal)))
    ).flat()
  } finally {
    await workspace.remove()
  }
}
