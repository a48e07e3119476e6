import type { Overview } from '#shared/bridge'
import type { Gate, GateName } from '#shared/gates'

/** The steps behind each gate, as `<action>/<step>` of `usual_ms`. Proof has none: it is what the others leave behind. */
export const stepsOfGate: Record<GateName, readonly string[]> = {
  tests: ['ship/tests'],
  review: ['ship/review_auto'],
  pushed: ['ship/check_fail_closed_push', 'ship/review_finish'],
  deployed: [
    'assert_production_pull_only',
    'git_sync',
    'hostd_install',
    'console_build',
    'docker_compose',
  ].map((step) => `deploy_and_verify/${step}`),
  verified: [
    'verify_production',
    'console_route_gate',
    'dod_production',
    'update_project_state',
  ].map((step) => `deploy_and_verify/${step}`),
  proof: [],
}

/** What a gate usually takes, if all its steps are known. Milliseconds. */
export function usualOfGate(name: GateName, usual: Overview['usual_ms']): number | undefined {
  const parts = stepsOfGate[name].map((step) => usual[step])
  if (parts.length === 0 || parts.some((part) => part === undefined)) return undefined
  return parts.reduce<number>((sum, part) => sum + (part ?? 0), 0)
}

export const isHostGate = (name: GateName): boolean =>
  name === 'deployed' || name === 'verified' || name === 'proof'
export const firstStopped = (gates: readonly Gate[]): Gate | null =>
  gates.find(({ state }) => state === 'fail' || state === 'blocked') ?? null
