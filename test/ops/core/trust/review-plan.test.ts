import { describe, expect, it } from 'vitest'
import { planReview } from '#ops/core/trust/review-plan'
import { reviewRef } from '#shared/verdict'
import { verdictChain } from './chain-bench.ts'

const { git, verdictOf, put, at, question } = verdictChain()

describe('the plan of a review', () => {
  const plan = (remote: number, change: object = {}) =>
    planReview({ ...question(), head: at(3), remoteHead: at(remote), ...change })
  const range = (base: number, head: number) => ({ base_sha: at(base), head_sha: at(head) })

  it('starts from the branch of origin, and shows beside it what no verdict covers', async () => {
    git(['update-ref', '-d', reviewRef(at(3))])
    expect(await plan(1)).toEqual({ base: at(1), unproven: [] })
    expect(await plan(2)).toEqual({ base: at(2), unproven: [range(1, 2)] })
    put(at(1), 'broken')
    expect(await plan(1)).toEqual({ base: at(1), unproven: [range(0, 1)] })
    expect(await plan(2)).toEqual({ base: at(2), unproven: [range(0, 1), range(1, 2)] })
    expect(await plan(2, { acceptedProviders: [] })).toEqual({
      base: at(2),
      unproven: [range(0, 1), range(1, 2)],
    })
  })

  it('shows again what a verdict of an older HQ passed over', async () => {
    git(['update-ref', '-d', reviewRef(at(3))])
    put(at(2), await verdictOf(at(0), at(2)))
    expect(await plan(2)).toEqual({ base: at(2), unproven: [range(1, 2)] })
  })

  it('starts below a commit that is on the branch already', async () => {
    git(['update-ref', '-d', reviewRef(at(3))])
    expect(await plan(3)).toEqual({ base: at(1), unproven: [] })
  })

  it('shows a branch that was moved back all that it gets', async () => {
    git(['update-ref', '-d', reviewRef(at(3))])
    expect(await plan(0, { baseline: at(1) })).toEqual({ base: at(0), unproven: [range(1, 3)] })
  })

  it('is none when the baseline is not below the commit', async () => {
    expect(await plan(1, { baseline: 'f'.repeat(40) })).toBeNull()
  })
})
