import type { Overview } from '#shared/bridge'
import type { GateName } from '#shared/state/gates'
import { deploySteps, stepsOfGate } from '#shared/steps'

/** How long a gate typically takes, in milliseconds, if all its steps are known. */
export function typicalOfGate(name: GateName, typical: Overview['usual_ms']): number | undefined {
  const parts = stepsOfGate(name).map(
    (step) => typical[`${Object.hasOwn(deploySteps, step) ? 'deploy_and_verify' : 'ship'}/${step}`],
  )
  if (parts.length === 0 || parts.some((part) => part === undefined)) return undefined
  return parts.reduce<number>((sum, part) => sum + (part ?? 0), 0)
}

export const isHostGate = (name: GateName): boolean =>
  name === 'deployed' || name === 'verified' || name === 'proof'
