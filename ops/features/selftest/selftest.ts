import type { CheckResult } from '#shared/result'
import { answerPlants } from './answer-violations.ts'
import { chainPlants, hazardPlants } from './chain-violations.ts'
import { composePlants } from './compose-violations.ts'
import { hostdPlants } from './hostd-violations.ts'
import { pullOnlyPlants } from './pull-only-violations.ts'
import { makeRepositories, type Repositories } from './repositories.ts'
import { shipPlants } from './ship-violations.ts'
import { openPlace, type Place } from './workspace.ts'
import { tryGroup, type Group } from './violation.ts'
import { socketPlants, wayPlants } from './port-violations.ts'
import { proofPlants } from './proof-violations.ts'
import { redactionPlants } from './redaction-violations.ts'
import { testsPlants } from './tests-violations.ts'

/** What needs other programs first, as it takes longest. The groups that need repositories share one set. */
function groupsOf(place: Place): readonly Group[] {
  let repositories: Promise<Repositories> | undefined
  const made = (): Promise<Repositories> => (repositories ??= makeRepositories(place))
  return [
    hostdPlants,
    shipPlants(made),
    chainPlants(made),
    pullOnlyPlants(made),
    hazardPlants(made),
    socketPlants,
    composePlants,
    wayPlants,
    testsPlants,
    answerPlants,
    proofPlants,
    redactionPlants,
  ]
}

/**
 * Plants a violation for every guard in a throw-away place and reports for each whether it was refused as it must be,
 * and whether its clean counterpart was let through. Nothing outside of that place is touched.
 *
 * @returns a check for each plant; SKIP where it cannot be planted on this machine
 */
export async function runSelftest(signal: AbortSignal): Promise<CheckResult[]> {
  const place = await openPlace()
  try {
    return (
      await Promise.all(groupsOf(place).map((group) => tryGroup(group, place, signal)))
    ).flat()
  } finally {
    await place.remove()
  }
}
