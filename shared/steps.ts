/** The six gates of a change, in the order in which it passes them. */
export const gateNames = ['tests', 'review', 'pushed', 'deployed', 'verified', 'proof'] as const
export type GateName = (typeof gateNames)[number]

interface StepRow {
  /** Names the step for people: a short noun phrase. */
  readonly title: string
  /** The gate that the step is part of. */
  readonly gate: GateName
  /**
   * Only some runs have this step. The gate does not count it; while it runs, the run stands where this step
   * stands.
   */
  readonly standsFor?: string
  /** A failure up to and including this step left every service running as it was. */
  readonly stopsNothing?: true
}

/** The steps of a ship, in the order in which they run. A step is its row here and its code in `ops/features/ship`. */
export const shipSteps = {
  repair: { title: 'Repair', gate: 'tests', standsFor: 'preflight' },
  preflight: { title: 'Preflight', gate: 'tests' },
  tests: { title: 'Tests', gate: 'tests' },
  review_auto: { title: 'Review', gate: 'review' },
  fast_forward: {
    title: 'Move the branch',
    gate: 'pushed',
    standsFor: 'check_fail_closed_push',
  },
  check_fail_closed_push: { title: 'Fail-closed check', gate: 'pushed' },
  review_finish: { title: 'Push', gate: 'pushed' },
} as const satisfies Record<string, StepRow>

/**
 * The steps of a deploy, in the order in which they run. A step is its row here and its code in
 * `ops/features/deploy`.
 */
export const deploySteps = {
  assert_production_pull_only: {
    title: 'Pull-only check',
    gate: 'deployed',
    stopsNothing: true,
  },
  git_sync: {
    title: 'Checkout',
    gate: 'deployed',
    stopsNothing: true,
  },
  hostd_install: {
    title: 'HQ release',
    gate: 'deployed',
    stopsNothing: true,
  },
  console_build: { title: 'Build', gate: 'deployed', stopsNothing: true },
  docker_compose: { title: 'Start', gate: 'deployed' },
  verify_production: { title: 'Verification', gate: 'verified' },
  console_route_gate: { title: 'Route check', gate: 'verified' },
  dod_production: { title: 'Definition of Done', gate: 'verified' },
  update_project_state: {
    title: 'Project state',
    gate: 'verified',
  },
  green_check: {
    title: 'Final check',
    gate: 'verified',
    standsFor: 'update_project_state',
  },
} as const satisfies Record<string, StepRow>

/** The steps of Phase 0, in the order in which they run. None is part of a gate. */
export const phase0Steps = {
  connectors: { title: 'Connectors' },
  library: { title: 'Kajabi library' },
  harvest: { title: 'Gmail harvest' },
} as const satisfies Record<string, Omit<StepRow, 'gate'>>
export type Phase0Step = keyof typeof phase0Steps

export type ShipStep = keyof typeof shipSteps
export type DeployStep = keyof typeof deploySteps

const rows: Readonly<Record<string, Omit<StepRow, 'gate'> & { readonly gate?: GateName }>> = {
  ...shipSteps,
  ...deploySteps,
  ...phase0Steps,
}
const rowOf = (name: string): (typeof rows)[string] | undefined =>
  Object.hasOwn(rows, name) ? rows[name] : undefined
const counted = (table: object): string[] =>
  Object.keys(table).filter((name) => rowOf(name)?.standsFor === undefined)

/** The steps that every ship has, in order. */
export const shipOrder: readonly string[] = counted(shipSteps)
/** The steps that every deploy has, in order. */
export const deployOrder: readonly string[] = counted(deploySteps)

/** The steps that a gate counts, in order; `proof` has none, it is what the others leave behind. */
export const stepsOfGate = (gate: GateName): readonly string[] =>
  [...shipOrder, ...deployOrder].filter((name) => rowOf(name)?.gate === gate)

/** @param name a step of any version of HQ; one that is not in the tables is its own title */
export const stepTitle = (name: string): string => rowOf(name)?.title ?? name

/** Where a run stands on its gates while it is in step `name`. */
export const standingStep = (name: string): string => rowOf(name)?.standsFor ?? name

/** True when a run that failed in this step left every service running as it was. */
export const stoppedNothing = (name: string): boolean => rowOf(name)?.stopsNothing === true
