import type { CheckResult } from '#shared/result'
import { answerPlants } from './answer-plants.ts'
import { chainPlants, hazardPlants } from './chain-plants.ts'
import { composePlants } from './compose-plants.ts'
import { hostdPlants } from './hostd-plants.ts'
import { pullOnlyPlants } from './pull-only-plants.ts'
import { makeRepositories, type Repositories } from './repositories.ts'
import { shipPlants } from './ship-plants.ts'
import { openPlace, type Place } from './place.ts'
import { tryGroup, type Group } from './plant.ts'
import { socketPlants, wayPlants } from './port-plants.ts'
import { proofPlants } from './proof-plants.ts'
import { redactionPlants } from './redaction-plants.ts'
import { testsPlants } from './tests-plants.ts'

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
