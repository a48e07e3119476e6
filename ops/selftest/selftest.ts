import type { CheckResult } from '#shared/result'
import { answerPlants } from './answer-plants.ts'
import { composePlants } from './compose-plants.ts'
import { addressPlants, hostdPlants } from './hostd-plants.ts'
import { openPlace } from './place.ts'
import { tryGroup, type Group } from './plant.ts'
import { socketPlants, wayPlants } from './port-plants.ts'
import { proofPlants } from './proof-plants.ts'
import { redactionPlants } from './redaction-plants.ts'
import { testsPlants } from './tests-plants.ts'

/** What needs other programs first, as it takes longest. */
const groups: readonly Group[] = [hostdPlants, addressPlants, socketPlants, composePlants, wayPlants, testsPlants, answerPlants, proofPlants, redactionPlants]

/**
 * Plants a violation for every guard in a throw-away place and reports for each whether it was refused as it must be,
 * and whether its clean counterpart was let through. Nothing outside of that place is touched.
 *
 * @returns a check for each plant; SKIP where it cannot be planted on this machine
 */
export async function runSelftest(signal: AbortSignal): Promise<CheckResult[]> {
  const place = await openPlace()
  try {
    return (await Promise.all(groups.map((group) => tryGroup(group, place, signal)))).flat()
  } finally {
    await place.remove()
  }
}
