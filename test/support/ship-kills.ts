import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { isProven } from '#ops/core/trust/review-chain'
import { endTree } from '#ops/base/process/process-tree'
import { shipResult } from '#shared/result'
import { reviewRef } from '#shared/verdict'
import { seeded, type Random } from './seeded.ts'
import { until, type ShipRepo } from './ship-repo.ts'

const linesOf = (dir: string): number => {
  const file = join(dir, 'events.ndjson')
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0
}

/** How many lines the events of a whole ship have: a kill comes anywhere within them. */
export const eventCount = linesOf

/** @param lines how many events a whole ship has */
function killOf(random: Random, lines: number) {
  const text = `${random.hex(16)}\n`
  // Half of them come late, where the push is.
  const late = random.below(2) === 0
  const when = late ? lines - random.below(Math.ceil(lines / 4)) : 1 + random.below(lines)
  return { text, late, when, everything: random.below(2) === 0 }
}

/** The first seed of each kind of kill: early or late, of the ship alone or of everything it started. */
export const oneOfEachKill = (seeds: readonly number[]): number[] => {
  const kinds = new Map<string, number>()
  for (const seed of seeds.toReversed()) {
    const { late, everything } = killOf(seeded(seed), 1)
    kinds.set(`${late} ${everything}`, seed)
  }
  return [...kinds.values()].toSorted((a, b) => a - b)
}

/**
 * Ships a change, kills the ship (or everything it started as well) with SIGKILL at a moment of chance, ships again,
 * and requires: origin has the commit with its verdict or neither of them; the next ship ends PASS, or has nothing to
 * do because the killed one had; some result says PASS; nothing is left over.
 *
 * @param lines how many events a whole ship has
 * @returns where it was killed and how it was resolved
 */
export async function expectShipResolved(
  sample: ShipRepo,
  baseUrl: string,
  seed: number,
  lines: number,
): Promise<string> {
  const { text, when, everything } = killOf(seeded(seed), lines)
  const [before, baseline] = [
    sample.git('rev-parse', 'origin/main'),
    sample.git('rev-list', '--max-parents=0', 'HEAD'),
  ]
  const head = sample.commit(`Change ${seed}`, { [`change-${seed}.txt`]: text })

  const running = sample.start()
  const closed = new Promise((resolve) => {
    running.child.once('exit', resolve)
  })
  await until(
    `event ${when} of the ship`,
    () => linesOf(running.dir) >= when || running.child.exitCode !== null,
  )
  running.child.kill('SIGKILL')
  if (everything) await endTree({ marker: `OPENCLAW_RUN_ID=${running.runId}` }, 0)
  await closed
  const context = `seed ${seed}: ${everything ? 'all of it' : 'the ship'} killed at event ${when} of ${lines}`

  const again = await sample.ship()
  const resolved =
    again.result.error_class === 'nothing_to_ship'
      ? 'it had ended'
      : again.result.steps
            .find(({ name }) => name === 'preflight')
            ?.detail?.includes('not confirmed')
        ? 'its push was confirmed'
        : 'shipped again'
  const documents = [running.dir, again.dir]
    .map((dir) => join(dir, 'ship_result.json'))
    .filter((file) => existsSync(file))
    .map((file) => shipResult.parse(JSON.parse(readFileSync(file, 'utf8'))))
  expect(
    documents.filter(({ overall, git_head }) => overall === 'PASS' && git_head === head),
    `${context}: ${JSON.stringify(again.result.steps)}`,
  ).toHaveLength(1)
  const refs = sample.remoteRefs()
  expect([refs['refs/heads/main'], reviewRef(head) in refs], context).toEqual([head, true])
  expect(
    await isProven({
      repo: sample.origin,
      target: head,
      baseline,
      acceptedProviders: [{ id: 'loopback', base_url: baseUrl }],
    }),
    context,
  ).toBe(true)
  expect(sample.git('merge-base', '--is-ancestor', before, head), context).toBe('')
  expect(
    [...sample.leftovers(running.runId), ...sample.leftovers(again.result.run_id)],
    context,
  ).toEqual([])
  return `${context}: ${resolved}`
}
