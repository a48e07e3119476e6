import { join } from 'node:path'
import { afterEach } from 'vitest'
import { operatorBench, type OperatorBench } from '../../../support/operator-bench.ts'
import { shipFixture } from '../../../support/ship-fixture.ts'
import type { ShipRepo } from '../../../support/ship-repo.ts'

/** For each test a repository to ship, and an operator that has chosen it. */
export function operatorOfShips(): { readonly repo: ShipRepo; readonly bench: OperatorBench } {
  let repo: ShipRepo
  let bench: OperatorBench
  shipFixture({
    prepare: async ({ sample }) => {
      repo = sample
      bench = operatorBench({ home: repo.home, env: repo.env })
      await bench.call('settings.set_repository', { path: join(repo.repo, 'docs') })
    },
  })
  // Before the repository is removed: hooks of one kind run in the reverse order of their registration.
  afterEach(() => bench.operator.close())
  return {
    get repo() {
      return repo
    },
    get bench() {
      return bench
    },
  }
}
