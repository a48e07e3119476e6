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

type Tell = (world: World) => void
type Change = (overview: Overview) => Overview

/** A row whose facts are what happened to a world, and then perhaps something that no event brings about. */
const row = (facts: string, tell: Tell, change: Change = (overview) => overview): Row => ({
  facts,
  build: () => {
    const world = new World()
    tell(world)
    return { overview: change(world.overview()), now: world.now }
  },
})

const shipped: Tell = (world) => {
  world.startShip()
  world.stepShip()
  world.endShip(null)
  world.upload()
}
const deployed: Tell = (world) => {
  shipped(world)
  world.startDeploy('deploy_and_verify')
  world.wait(60)
  world.endDeploy(null)
}
/** A first change is live, and a second one is shipped. */
const second: Tell = (world) => {
  deployed(world)
  world.wait(60)
  world.commit()
  shipped(world)
}
const twice: Tell = (world) => {
  second(world)
  world.startDeploy('deploy_and_verify')
  world.wait(60)
  world.endDeploy(null)
}
const rolledBack: Tell = (world) => {
  twice(world)
  world.wait(60)
  world.startDeploy('rollback')
  world.endDeploy(null)
}
const shipFails =
  (step: string, errorClass: ErrorClass): Tell =>
  (world) => {
    world.startShip()
    world.endShip({ step, errorClass })
  }
const deployFails =
  (errorClass: ErrorClass, switched = false): Tell =>
  (world) => {
    second(world)
    world.startDeploy('deploy_and_verify')
    world.stepDeploy()
    if (switched) world.stepDeploy()
    world.endDeploy(errorClass)
  }
const then =
  (...parts: readonly Tell[]): Tell =>
  (world) =>
    parts.forEach((part) => part(world))
const held: Tell = (world) => {
  world.hold()
  world.wait(960)
}
const away: Tell = (world) => {
  world.answer()
  world.wait(252)
  world.away = true
}
const tampered =
  (what: Parameters<World['tamper']>[0]): Tell =>
  (world) =>
    world.tamper(what)

const status =
  (change: (status: StatusReply) => StatusReply): Change =>
  (overview) => ({ ...overview, status: overview.status && change(overview.status) })
const repository =
  (part: Partial<NonNullable<Overview['repository']>>): Change =>
  (overview) => ({
    ...overview,
    repository: overview.repository && { ...overview.repository, ...part },
  })
/** The host has checked the connectors. */
const found =
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
const endsIn =
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
const connection =
  (part: Partial<Overview['connection']>): Change =>
  (overview) => ({ ...overview, connection: { ...overview.connection, ...part } })
const console_: Change = (overview) => ({
  ...overview,
  place: 'console',
  repository: null,
  ship: null,
  ship_result: null,
  ship_proof: null,
})

export const rows: readonly Row[] = [
  row('a first commit, nothing shipped', () => {}),
  row('a first commit, a file not committed', (world) => {
    world.dirty = 1
  }),
  row(
    'a first commit, behind origin/main',
    () => {},
    (overview) =>
      repository({ behind: 2, ship_blocked: 'origin/main has 2 commits that are not here.' })(
        overview,
      ),
  ),
  row('a ship that has not frozen its commit', (world) => world.startShip()),
  row('a ship in its tests', (world) => {
    world.startShip()
    world.stepShip()
  }),
  row('a ship in its review', (world) => {
    world.startShip()
    world.stepShip()
    world.stepShip()
  }),
  row('a ship of an earlier commit than the head', (world) => {
    world.startShip()
    world.stepShip()
    world.stepShip()
    world.commit()
  }),
  row('tests failed', shipFails('tests', 'tests_failed')),
  row('a test was skipped', shipFails('tests', 'tests_skipped')),
  row('the review said no', shipFails('review_auto', 'review_blocked')),
  row('the review could not take place', shipFails('review_auto', 'review_unavailable')),
  row('no next action in the repository', shipFails('preflight', 'next_action_invalid')),
  row('a ship was cancelled', shipFails('tests', 'cancelled')),
  row('a ship was interrupted', shipFails('review_auto', 'interrupted')),
  row('a push that was not confirmed', shipFails('review_finish', 'push_unconfirmed')),
  row(
    'tests failed, and a new commit since',
    then(shipFails('tests', 'tests_failed'), (world) => world.commit()),
  ),
  row('shipped, and nothing deployed yet', shipped),
  row('shipped, its bundle not on the host yet', (world) => {
    world.startShip()
    world.stepShip()
    world.endShip(null)
  }),
  row('shipped, and a person holds maintenance', then(shipped, held)),
  row('shipped, and the maintenance file cannot be read', shipped, (overview) =>
    status((now) => ({
      ...now,
      maintenance: { on: true, unreadable: 'It is a folder.', file: null },
    }))(overview),
  ),
  row('a second change is pushed, the first serves', second),
  row(
    'a deploy before its checkout',
    then(second, (world) => world.startDeploy('deploy_and_verify')),
  ),
  row(
    'a deploy that builds',
    then(second, (world) => {
      world.startDeploy('deploy_and_verify')
      world.stepDeploy()
    }),
  ),
  row(
    'a deploy that has switched',
    then(second, (world) => {
      world.startDeploy('deploy_and_verify')
      world.stepDeploy()
      world.stepDeploy()
    }),
  ),
  row('U3: a deploy of the first while the second is shipped', (world) => {
    shipped(world)
    world.startDeploy('deploy_and_verify')
    world.stepDeploy()
    world.commit()
    world.startShip()
    world.stepShip()
  }),
  row('U3: that ship has pushed, the deploy goes on with its own commit', (world) => {
    shipped(world)
    world.startDeploy('deploy_and_verify')
    world.stepDeploy()
    world.commit()
    shipped(world)
  }),
  row('U3: a deploy before its checkout while a ship may move origin/main', (world) => {
    shipped(world)
    world.startDeploy('deploy_and_verify')
    world.commit()
    world.startShip()
    world.stepShip()
    world.endShip({ step: 'tests', errorClass: 'tests_failed' })
    world.startShip()
  }),
  row('deployed and green', deployed),
  row(
    'deployed, and the ship bundle is not on the host',
    then(deployed, (world) => {
      world.uploaded = null
    }),
  ),
  row('deployed, and a file of its proof is missing', deployed, (overview) =>
    status((now) => ({
      ...now,
      bundles: {
        ...now.bundles,
        deploy: now.bundles.deploy && {
          ...now.bundles.deploy,
          complete: false,
          missing: ['dod_result.json'],
        },
      },
    }))(overview),
  ),
  row('green twice', twice),
  row('green, and a person holds maintenance', then(deployed, held)),
  row(
    'green, and a new commit',
    then(deployed, (world) => world.commit()),
  ),
  row(
    'green, a file changed and not committed',
    then(deployed, (world) => {
      world.dirty = 1
    }),
  ),
  row('green, and the host does not answer', then(deployed, away)),
  row(
    'green, a commit to ship, and the host does not answer',
    then(deployed, (world) => world.commit(), away),
  ),
  row('green, and the host refuses HQ', deployed, (overview) =>
    connection({ state: 'refused', detail: 'aiops-1 does not accept the admin token.' })(overview),
  ),
  row('green, and HQ connects again', deployed, (overview) =>
    connection({ state: 'connecting' })(overview),
  ),
  {
    facts: 'green, and HQ itself does not answer',
    build: () => {
      const world = new World()
      deployed(world)
      return { overview: world.overview(), now: world.now, cut: true }
    },
  },
  row('U2: a byte of the deploy proof differs', then(deployed, tampered('deploy'))),
  row('U2: the result of the deploy cannot be read', then(deployed, tampered('result'))),
  row(
    'U2: the result cannot be read after an older red deploy',
    then(deployFails('service_unhealthy'), (world) => {
      world.startDeploy('deploy_and_verify')
      world.endDeploy(null)
      world.tamper('result')
    }),
  ),
  row('U2: the ship proof on the laptop differs', then(deployed, tampered('ship_here'))),
  row('U2: the ship proof on the host differs', then(deployed, tampered('ship_there'))),
  row(
    'U2: both copies of the ship proof differ',
    then(deployed, tampered('ship_here'), tampered('ship_there')),
  ),
  row(
    'U2: a broken deploy proof, and a person holds maintenance',
    then(deployed, tampered('deploy'), held),
  ),
  row('U2: a broken deploy proof, and a second change pushed', (world) => {
    deployed(world)
    world.tamper('deploy')
    world.commit()
    shipped(world)
  }),
  row(
    'U2: a broken deploy proof, and the host does not answer',
    then(deployed, tampered('deploy'), away),
  ),
  row(
    'U2: a broken deploy proof is redeployed',
    then(deployed, tampered('deploy'), (world) => {
      world.wait(60)
      world.startDeploy('deploy_and_verify')
      world.endDeploy(null)
    }),
  ),
  row(
    'the witness raises an alarm',
    then(deployed, (world) => {
      world.alarm = true
    }),
  ),
  row('the build failed', deployFails('console_build_failed')),
  row('a service did not become healthy', deployFails('service_unhealthy')),
  row('main could not be fetched', deployFails('git_fetch_failed')),
  row('an unreviewed commit was refused', deployFails('unreviewed_commit')),
  row('a deploy was cancelled before its switch', deployFails('cancelled')),
  row('U4: a deploy was cancelled after its switch', deployFails('cancelled', true)),
  row('U4: a service failed after the switch', deployFails('endpoint_not_ok', true)),
  row('U4: a first deploy was cancelled after its switch', (world) => {
    shipped(world)
    world.startDeploy('deploy_and_verify')
    world.stepDeploy()
    world.stepDeploy()
    world.endDeploy('cancelled')
  }),
  row(
    'U4: cancelled after its switch, and a new commit',
    then(deployFails('cancelled', true), (world) => world.commit()),
  ),
  row(
    'U4: cancelled after its switch, and a person holds maintenance',
    then(deployFails('cancelled', true), held),
  ),
  row('rolled back', rolledBack),
  row(
    'rolled back, and the fix is shipped',
    then(rolledBack, (world) => {
      world.commit()
      shipped(world)
    }),
  ),
  row(
    'rolled back, and a rollback runs again',
    then(twice, (world) => world.startDeploy('rollback')),
  ),
  row(
    'U4: rolled back, then the newest again, cancelled after its switch',
    then(rolledBack, (world) => {
      world.startDeploy('deploy_and_verify', { unpin: true })
      world.stepDeploy()
      world.stepDeploy()
      world.endDeploy('cancelled')
    }),
  ),
  row('rolled back, and a person holds maintenance', then(rolledBack, held)),
  row(
    'another version was started by hand',
    then(twice, (world) => world.startByHand()),
  ),
  row('green, and doctor fails', deployed, (overview) =>
    status((now) => ({ ...now, last_doctor: doctor(now.host.time) }))(overview),
  ),
  row('green, and every connector is ready', deployed, found('ready', 'ready')),
  row('green, and Kajabi is not connected', deployed, found('not_configured', 'ready')),
  row('green, and Gmail expired', deployed, found('ready', 'expired')),
  row('green, and Gmail is unreachable', deployed, found('ready', 'unreachable')),
  row('green, and Kajabi ends in three days', deployed, (overview) =>
    endsIn(3)(found('ready', 'ready')(overview)),
  ),
  row('green, and Kajabi ends today', deployed, (overview) =>
    endsIn(0)(found('ready', 'ready')(overview)),
  ),
  row('green, and a sign-in waits for the person', deployed, (overview) => ({
    ...found('ready', 'not_configured')(overview),
    connecting: [{ name: 'gmail', state: 'you' }],
  })),
  row('green, and a connector is being connected', deployed, (overview) => ({
    ...found('ready', 'not_configured')(overview),
    connecting: [{ name: 'gmail', state: 'running' }],
  })),
  row('green, and an attempt failed while the old sign-in holds', deployed, (overview) => ({
    ...found('ready', 'ready')(overview),
    connecting: [{ name: 'gmail', state: 'failed' }],
  })),
  row('green, a connector expired, and doctor fails', deployed, (overview) =>
    status((now) => ({ ...now, last_doctor: doctor(now.host.time) }))(
      found('expired', 'ready')(overview),
    ),
  ),
  row('console: green, and Gmail expired', deployed, (overview) =>
    console_(found('ready', 'expired')(overview)),
  ),
  row(
    'no host is enrolled',
    () => {},
    (overview) => ({
      ...connection({
        state: 'not_enrolled',
        name: null,
        url: null,
        as_of: null,
        detail: 'No host is enrolled.',
      })(repository({ ahead: 0 })(overview)),
      status: null,
    }),
  ),
  row(
    'no repository and no host',
    () => {},
    (overview) => ({
      ...connection({
        state: 'not_enrolled',
        name: null,
        url: null,
        as_of: null,
        detail: 'No host is enrolled.',
      })(overview),
      repository: null,
      status: null,
    }),
  ),
  row('everything is on origin/main, and nothing was shipped here', (world) => {
    world.ahead = 0
  }),
  row('console: deployed and green', deployed, console_),
  row('console: pushed, not deployed', second, console_),
  row('console: a byte of the deploy proof differs', then(deployed, tampered('deploy')), console_),
  row('console: the build failed', deployFails('console_build_failed'), console_),
  row(
    'console: the ship failed on the laptop',
    then(deployed, (world) => world.commit()),
    console_,
  ),
]

const doctor = (finished_at: string): NonNullable<StatusReply['last_doctor']> => ({
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
