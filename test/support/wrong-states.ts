import { stateOf } from '#shared/state/state'
import { contradictionsOf } from './contradictions.ts'
import { playHistory } from './histories.ts'
import type { World } from './world.ts'

/** What is wrong after any event of these histories, each once, with the shortest way to it. */
export function wrongIn(seeds: readonly number[], length: number): string[] {
  const found = new Map<string, string>()
  for (const seed of seeds)
    playHistory(seed, length, (world, happened) => {
      const overview = world.overview()
      const state = stateOf({ overview, now: world.now, cut: false })
      for (const each of [
        ...contradictionsOf(overview, state),
        ...notAsItIs(world, state.change.done),
      ])
        if (!found.has(each))
          found.set(each, `${each}: seed ${seed}, ${happened.slice(-8).join(' › ')}`)
    })
  return [...found.values()]
}

/** DONE must be said exactly when it is so. Nothing can be said of a host that is away. */
function notAsItIs(world: World, done: boolean): string[] {
  if (world.away || world.ship !== null || world.deploy !== null) return []
  const ship = world.ships.findLast(
    ({ git_head, overall }) => git_head === world.head && overall === 'PASS',
  )
  const deploy = world.deploys.at(-1)
  const holds =
    ship !== undefined &&
    ship.run_id === world.uploaded?.run_id &&
    deploy?.overall === 'PASS' &&
    deploy.git_head === world.head &&
    world.serving === world.head &&
    ![...world.brokenHere, ...world.brokenThere, ...world.unreadable].some(
      (id) => id === ship.run_id || id === deploy.run_id,
    ) &&
    !world.alarm
  return done === holds ? [] : [done ? 'DONE, and it is not so' : 'not DONE, and it is so']
}
