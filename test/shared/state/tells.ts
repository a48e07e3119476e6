// The parts that the rows of the state table are made of: what happens to a world, and how it is changed after.
import type { StatusReply } from '#shared/api'
import type { Overview } from '#shared/bridge'
import type { ConnectorState } from '#shared/connectors'
import { requiredConnectors } from '#shared/connectors/used'
import type { ErrorClass } from '#shared/errors'
import { World } from '../../support/world.ts'

/** What is known, and how HQ calls it. */
export interface Row {
  readonly facts: string
  readonly build: () => {
    readonly overview: Overview
    readonly now: number
    readonly cut?: boolean
  }
}

export type Tell = (world: World) => void
export type Change = (overview: Overview) => Overview

/** A row whose facts are what happened to a world, and then perhaps something that no event brings about. */
export const row = (facts: string, tell: Tell, change: Change = (overview) => overview): Row => ({
  facts,
  build: () => {
    const world = new World()
    tell(world)
    return { overview: change(world.overview()), now: world.now }
  },
})

export const shipped: Tell = (world) => {
  world.startShip()
  world.stepShip()
  world.endShip(null)
  world.upload()
}
export const deployed: Tell = (world) => {
  shipped(world)
  world.startDeploy('deploy_and_verify')
  world.wait(60)
  world.endDeploy(null)
}
/** A first change is live, and a second one is shipped. */
export const second: Tell = (world) => {
  deployed(world)
  world.wait(60)
  world.commit()
  shipped(world)
}
export const twice: Tell = (world) => {
  second(world)
  world.startDeploy('deploy_and_verify')
  world.wait(60)
  world.endDeploy(null)
}
export const rolledBack: Tell = (world) => {
  twice(world)
  world.wait(60)
  world.startDeploy('rollback')
  world.endDeploy(null)
}
export const shipFails =
  (step: string, errorClass: ErrorClass): Tell =>
  (world) => {
    world.startShip()
    world.endShip({ step, errorClass })
  }
export const deployFails =
  (errorClass: ErrorClass, switched = false): Tell =>
  (world) => {
    second(world)
    world.startDeploy('deploy_and_verify')
    world.stepDeploy()
    if (switched) world.stepDeploy()
    world.endDeploy(errorClass)
  }
export const inTurn =
  (...parts: readonly Tell[]): Tell =>
  (world) =>
    parts.forEach((part) => part(world))
export const held: Tell = (world) => {
  world.hold()
  world.wait(960)
}
export const away: Tell = (world) => {
  world.answer()
  world.wait(252)
  world.away = true
}
export const tampered =
  (what: Parameters<World['tamper']>[0]): Tell =>
  (world) =>
    world.tamper(what)

export const status =
  (change: (status: StatusReply) => StatusReply): Change =>
  (overview) => ({ ...overview, status: overview.status && change(overview.status) })
export const repository =
  (part: Partial<NonNullable<Overview['repository']>>): Change =>
  (overview) => ({
    ...overview,
    repository: overview.repository && { ...overview.repository, ...part },
  })
/** The host has checked the connectors. */
export const found =
  (...states: readonly [ConnectorState, ConnectorState]): Change =>
  (overview) =>
    status((now) => ({
      ...now,
      connectors: {
        run_id: '20261122T120400Z-cccccccc',
        checked_at: now.host.time,
        connectors: requiredConnectors.map((name, at) => ({
          name,
          state: states[at] ?? 'ready',
          expires_at: null,
        })),
      },
    }))(overview)
export const endsIn =
  (days: number): Change =>
  (overview) =>
    status((now) => ({
      ...now,
      connectors: now.connectors && {
        ...now.connectors,
        connectors: now.connectors.connectors.map((each) => ({
          ...each,
          expires_at:
            each.name === 'kajabi'
              ? new Date(Date.parse(now.host.time) + days * 86_400_000 + 60_000).toISOString()
              : null,
        })),
      },
    }))(overview)
export const connection =
  (part: Partial<Overview['connection']>): Change =>
  (overview) => ({ ...overview, connection: { ...overview.connection, ...part } })
export const console_: Change = (overview) => ({
  ...overview,
  place: 'console',
  repository: null,
  ship: null,
  ship_result: null,
  ship_proof: null,
})

export const doctor = (finished_at: string): NonNullable<StatusReply['last_doctor']> => ({
  schema_version: 1,
  run_id: '20261122T120500Z-dddddddd',
  overall: 'FAIL',
  step_failed: null,
  error_class: null,
  next_auto_fix: null,
  git_head: null,
  git_tree: null,
  started_at: finished_at,
  finished_at,
  steps: [],
  artifacts: {},
  kind: 'doctor',
  deploy_run_id: null,
  checks: [
    { name: 'disk_root', status: 'FAIL', detail: '97 % full', remedy: 'free_disk', duration_ms: 3 },
  ],
})
