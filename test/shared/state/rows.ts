import { World } from '../../support/world.ts'
import {
  row,
  shipped,
  deployed,
  second,
  twice,
  rolledBack,
  shipFails,
  deployFails,
  inTurn,
  held,
  away,
  tampered,
  status,
  repository,
  found,
  endsIn,
  connection,
  console_,
  doctor,
  type Row,
} from './tells.ts'

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
    inTurn(shipFails('tests', 'tests_failed'), (world) => world.commit()),
  ),
  row('shipped, and nothing deployed yet', shipped),
  row('shipped, its bundle not on the host yet', (world) => {
    world.startShip()
    world.stepShip()
    world.endShip(null)
  }),
  row('shipped, and a person holds maintenance', inTurn(shipped, held)),
  row('shipped, and the maintenance file cannot be read', shipped, (overview) =>
    status((now) => ({
      ...now,
      maintenance: { on: true, unreadable: 'It is a folder.', file: null },
    }))(overview),
  ),
  row('a second change is pushed, the first serves', second),
  row(
    'a deploy before its checkout',
    inTurn(second, (world) => world.startDeploy('deploy_and_verify')),
  ),
  row(
    'a deploy that builds',
    inTurn(second, (world) => {
      world.startDeploy('deploy_and_verify')
      world.stepDeploy()
    }),
  ),
  row(
    'a deploy that has switched',
    inTurn(second, (world) => {
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
    inTurn(deployed, (world) => {
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
  row('green, and a person holds maintenance', inTurn(deployed, held)),
  row(
    'green, and a new commit',
    inTurn(deployed, (world) => world.commit()),
  ),
  row(
    'green, a file changed and not committed',
    inTurn(deployed, (world) => {
      world.dirty = 1
    }),
  ),
  row('green, and the host does not answer', inTurn(deployed, away)),
  row(
    'green, a commit to ship, and the host does not answer',
    inTurn(deployed, (world) => world.commit(), away),
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
  row('U2: a byte of the deploy proof differs', inTurn(deployed, tampered('deploy'))),
  row('U2: the result of the deploy cannot be read', inTurn(deployed, tampered('result'))),
  row(
    'U2: the result cannot be read after an older red deploy',
    inTurn(deployFails('service_unhealthy'), (world) => {
      world.startDeploy('deploy_and_verify')
      world.endDeploy(null)
      world.tamper('result')
    }),
  ),
  row('U2: the ship proof on the laptop differs', inTurn(deployed, tampered('ship_here'))),
  row('U2: the ship proof on the host differs', inTurn(deployed, tampered('ship_there'))),
  row(
    'U2: both copies of the ship proof differ',
    inTurn(deployed, tampered('ship_here'), tampered('ship_there')),
  ),
  row(
    'U2: a broken deploy proof, and a person holds maintenance',
    inTurn(deployed, tampered('deploy'), held),
  ),
  row('U2: a broken deploy proof, and a second change pushed', (world) => {
    deployed(world)
    world.tamper('deploy')
    world.commit()
    shipped(world)
  }),
  row(
    'U2: a broken deploy proof, and the host does not answer',
    inTurn(deployed, tampered('deploy'), away),
  ),
  row(
    'U2: a broken deploy proof is redeployed',
    inTurn(deployed, tampered('deploy'), (world) => {
      world.wait(60)
      world.startDeploy('deploy_and_verify')
      world.endDeploy(null)
    }),
  ),
  row(
    'the witness raises an alarm',
    inTurn(deployed, (world) => {
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
    inTurn(deployFails('cancelled', true), (world) => world.commit()),
  ),
  row(
    'U4: cancelled after its switch, and a person holds maintenance',
    inTurn(deployFails('cancelled', true), held),
  ),
  row('rolled back', rolledBack),
  row(
    'rolled back, and the fix is shipped',
    inTurn(rolledBack, (world) => {
      world.commit()
      shipped(world)
    }),
  ),
  row(
    'rolled back, and a rollback runs again',
    inTurn(twice, (world) => world.startDeploy('rollback')),
  ),
  row(
    'U4: rolled back, then the newest again, cancelled after its switch',
    inTurn(rolledBack, (world) => {
      world.startDeploy('deploy_and_verify', { unpin: true })
      world.stepDeploy()
      world.stepDeploy()
      world.endDeploy('cancelled')
    }),
  ),
  row('rolled back, and a person holds maintenance', inTurn(rolledBack, held)),
  row(
    'another version was started by hand',
    inTurn(twice, (world) => world.startByHand()),
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
    'the token of the host cannot be used',
    () => {},
    (overview) => ({
      ...connection({
        state: 'not_enrolled',
        as_of: null,
        detail: 'The keyring of this system does not answer.',
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
  row(
    'console: a byte of the deploy proof differs',
    inTurn(deployed, tampered('deploy')),
    console_,
  ),
  row('console: the build failed', deployFails('console_build_failed'), console_),
  row(
    'console: the ship failed on the laptop',
    inTurn(deployed, (world) => world.commit()),
    console_,
  ),
]
