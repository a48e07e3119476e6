import { randomOf } from '../ops/core/proof/proof-bench.ts'
import { World } from './world.ts'

const ships = (world: World): void => {
  world.dirty = 0
  world.startShip()
  world.stepShip()
  world.endShip(null)
  world.upload()
}
const deploys = (world: World): void => {
  world.startDeploy('deploy_and_verify')
  world.stepDeploy()
  world.endDeploy(null)
}

/** What may happen, and how often. */
const events: readonly (readonly [weight: number, name: string, happen: (world: World) => void])[] =
  [
    [2, 'commit', (world) => world.commit()],
    [1, 'edit', (world) => void (world.dirty = 1)],
    [6, 'a whole ship', ships],
    [2, 'ship starts', (world) => world.startShip()],
    [2, 'ship goes on', (world) => world.stepShip()],
    [1, 'ship passes', (world) => world.endShip(null)],
    [1, 'tests fail', (world) => world.endShip({ step: 'tests', errorClass: 'tests_failed' })],
    [
      1,
      'review: no',
      (world) => world.endShip({ step: 'review_auto', errorClass: 'review_blocked' }),
    ],
    [1, 'ship is cancelled', (world) => world.endShip({ step: 'tests', errorClass: 'cancelled' })],
    [1, 'ship is sent to the host', (world) => world.upload()],
    [6, 'a whole deploy', deploys],
    [2, 'deploy starts', (world) => world.startDeploy('deploy_and_verify')],
    [2, 'deploy of the newest', (world) => world.startDeploy('deploy_and_verify', { unpin: true })],
    [2, 'rollback starts', (world) => world.startDeploy('rollback')],
    [4, 'deploy goes on', (world) => world.stepDeploy()],
    [2, 'deploy passes', (world) => world.endDeploy(null)],
    [1, 'deploy fails', (world) => world.endDeploy('service_unhealthy')],
    [1, 'deploy is cancelled', (world) => world.endDeploy('cancelled')],
    [1, 'a person holds maintenance', (world) => world.hold()],
    [2, 'maintenance is ended', (world) => world.endMaintenance()],
    [1, 'the deploy proof is tampered with', (world) => world.tamper('deploy')],
    [1, 'the ship proof is tampered with', (world) => world.tamper('ship_here')],
    [1, 'the ship proof on the host is tampered with', (world) => world.tamper('ship_there')],
    [1, 'the deploy result is damaged', (world) => world.tamper('result')],
    [1, 'an earlier version is started by hand', (world) => world.startByHand()],
    [1, 'an alarm is raised or accepted', (world) => void (world.alarm = !world.alarm)],
    [1, 'the host is lost', (world) => void (world.away = true)],
    [4, 'the host is back', (world) => void (world.away = false)],
  ]
const drawn = events.flatMap((event) => Array.from({ length: event[0] }, () => event))

/** A seeded history. Calls `look` after every event. @param length number of events */
export function playHistory(
  seed: number,
  length: number,
  look: (world: World, happened: readonly string[]) => void,
): World {
  const random = randomOf(seed)
  const world = new World()
  const happened: string[] = []
  for (let at = 0; at < length; at += 1) {
    const event = drawn[Math.floor(random() * drawn.length)]
    if (event === undefined) throw new Error('a random number was out of range')
    const [, name, happen] = event
    world.wait(1 + Math.floor(random() * 90))
    world.answer()
    happen(world)
    happened.push(name)
    look(world, happened)
  }
  return world
}
