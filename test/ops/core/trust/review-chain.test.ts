import { describe, expect, it } from 'vitest'
import { withNeutralGit } from '#ops/platform/git/neutral-diff'
import { signVerdict } from '#ops/core/trust/sign-verdict'
import { newKeyPem, signingKeyFromPem, toTrustedKey } from '#ops/core/trust/signing-key'
import { trustKeys } from '#ops/core/trust/trusted-keys'
import { firstBaseline, provenBase } from '#ops/core/trust/review-chain'
import { reviewRef, type Verdict } from '#shared/verdict'
import { verdictChain } from './chain-bench.ts'

const chain = verdictChain()
const { git, verdictOf, put, at, question, walk } = chain

describe('a chain of verdicts', () => {
  it('proves a commit back to the baseline, and the baseline itself', async () => {
    expect(await walk(at(3))).toMatchObject({
      proven: true,
      chain: [{ head_sha: at(3) }, { head_sha: at(1) }],
    })
    expect(await walk(at(0))).toEqual({ proven: true, chain: [], evidence: [] })
  })

  it('does not prove a commit in the middle that lacks a verdict', async () => {
    expect(await walk(at(2))).toEqual({
      proven: false,
      commit: at(2),
      reason: 'it has no review verdict',
      errorClass: 'unreviewed_commit',
    })
  })

  it('breaks at the first link that is not good, and names it', async () => {
    const good = await verdictOf(at(0), at(1))
    const cases: [unknown, string][] = [
      ['not json', 'cannot be read'],
      // B11: more than git's answer may be.
      [`"${'x'.repeat(9_500_000)}"`, 'is larger than 8388608 bytes'],
      [{ ...good, extra: 1 }, 'cannot be read'],
      [{ ...good, verdict: 'CHANGES_REQUESTED' }, 'cannot be read'],
      [{ ...good, head_sha: at(2) }, 'another commit'],
      [{ ...good, tree_sha: at(0) }, 'another tree'],
      [{ ...good, diff_sha256: 'f'.repeat(64) }, 'another diff'],
      [{ ...good, base_sha: at(2) }, 'not an ancestor'],
      [{ ...good, base_sha: at(1) }, 'not an ancestor'],
      [{ ...good, base_sha: 'f'.repeat(40) }, 'not an ancestor'],
      [
        { ...good, reviewer: { ...good.reviewer, base_url: 'http://127.0.0.1:1/v1' } },
        'is not accepted',
      ],
      [{ ...good, reviewer: { ...good.reviewer, provider_id: 'x' } }, 'is not accepted'],
    ]
    for (const [content, reason] of cases) {
      put(at(1), content)
      expect(await walk(at(3)), reason).toMatchObject({
        proven: false,
        commit: at(1),
        reason: expect.stringContaining(reason) as unknown,
      })
    }
  })

  it('with keys, trusts only what one of them signed', async () => {
    const [ours, theirs] = [
      signingKeyFromPem(newKeyPem(), 'ours'),
      signingKeyFromPem(newKeyPem(), 'theirs'),
    ]
    const keys = trustKeys([toTrustedKey(ours)], 'the test')
    const good = await verdictOf(at(0), at(1))
    const broken = { proven: false, commit: at(1), errorClass: 'verdict_signature_invalid' }
    put(at(3), signVerdict(await verdictOf(at(1), at(3)), ours))
    expect(await walk(at(3), { keys })).toMatchObject({
      ...broken,
      reason: 'its verdict is not signed, and keys are enrolled',
    })
    put(at(1), signVerdict(good, theirs))
    expect(await walk(at(3), { keys })).toMatchObject(broken)
    put(at(1), { ...signVerdict(good, ours), summary: 'edited' })
    expect(await walk(at(3), { keys })).toMatchObject(broken)
    put(at(1), signVerdict(good, ours))
    expect(await walk(at(3), { keys })).toMatchObject({ proven: true })
    expect(
      await provenBase({
        ...question(),
        keys: trustKeys([toTrustedKey(theirs)], 'the test'),
        head: at(3),
      }),
    ).toBe(at(0))
  })

  it('does not accept a tag that is named like the ref of a verdict', async () => {
    git(['tag', reviewRef(at(1)), git(['rev-parse', reviewRef(at(1))])])
    git(['update-ref', '-d', reviewRef(at(1))])
    const answer = await walk(at(3))
    git(['tag', '--delete', reviewRef(at(1))])
    expect(answer).toEqual({
      proven: false,
      commit: at(1),
      reason: 'it has no review verdict',
      errorClass: 'unreviewed_commit',
    })
  })

  it('does not end at a baseline that is not an ancestor', async () => {
    expect(await walk(at(3), { baseline: at(2) })).toMatchObject({ proven: false, commit: at(0) })
  })

  it('gives the newest proven ancestor, skipping links that are broken', async () => {
    expect(await provenBase({ ...question(), head: at(3) })).toBe(at(3))
    expect(await provenBase({ ...question(), head: at(2) })).toBe(at(1))
    put(at(1), 'broken')
    expect(await provenBase({ ...question(), head: at(3) })).toBe(at(0))
    expect(await provenBase({ ...question(), head: at(3), baseline: 'f'.repeat(40) })).toBeNull()
  })

  it('shows where it begins to a laptop that has no baseline, and without verdicts that is the head', async () => {
    const { baseline: _, ...rest } = question()
    expect(await firstBaseline({ ...rest, head: at(3) })).toBe(at(0))
    expect(await firstBaseline({ ...rest, head: at(3), acceptedProviders: [] })).toBe(at(3))
    git(['update-ref', '-d', reviewRef(at(1))])
    expect(await firstBaseline({ ...rest, head: at(3) })).toBe(at(1))
  })
})

describe('a verdict that covers more than its change', () => {
  const stretch = async (base: string, head: string) => ({
    base_sha: base,
    head_sha: head,
    diff_sha256: await withNeutralGit(chain.repo, (neutral) => neutral.diffDigest(base, head)),
    files: [],
  })
  const covering = async (...ranges: readonly (readonly [number, number])[]): Promise<Verdict> => ({
    ...(await verdictOf(at(2), at(3))),
    unproven: await Promise.all(ranges.map(([base, head]) => stretch(at(base), at(head)))),
  })

  it('proves what nothing else proves', async () => {
    put(at(1), 'broken')
    put(at(3), await covering([0, 2]))
    expect(await walk(at(3))).toMatchObject({ proven: true, chain: [{ head_sha: at(3) }] })
    const { baseline: _, ...rest } = question()
    expect(await firstBaseline({ ...rest, head: at(3) })).toBe(at(0))
  })

  it('is refused whole when one of its stretches is not what was reviewed', async () => {
    const good = await covering([0, 1], [1, 2])
    const [first, second] = good.unproven ?? []
    const cases: [object[], string][] = [
      [[first ?? {}, { ...second, diff_sha256: 'f'.repeat(64) }], 'another diff'],
      [[{ ...first, base_sha: at(2) }, second ?? {}], 'not an ancestor'],
      [[{ ...first, base_sha: 'f'.repeat(40) }, second ?? {}], 'not an ancestor'],
      [[{ ...first, head_sha: at(0) }, second ?? {}], 'not an ancestor'],
    ]
    for (const [unproven, reason] of cases) {
      put(at(3), { ...good, unproven })
      expect(await walk(at(3)), reason).toMatchObject({
        proven: false,
        commit: at(3),
        reason: expect.stringContaining(reason) as unknown,
        errorClass: 'verdict_mismatch',
      })
    }
    const { unproven: _, ...older } = good
    put(at(2), {
      ...older,
      ...(await verdictOf(at(0), at(2))),
      unproven: [await stretch(at(2), at(3))],
    })
    expect(await walk(at(2))).toMatchObject({
      proven: false,
      reason: expect.stringContaining('which is not an ancestor of it') as unknown,
    })
  })

  it('does not connect when there is a gap below its stretches', async () => {
    put(at(1), 'broken')
    put(at(3), await covering([1, 2]))
    expect(await walk(at(3))).toMatchObject({ proven: false, commit: at(1) })
  })
})

describe('a commit that was accepted before', () => {
  it('must be on the way: a review that started before it may hide that it is undone', async () => {
    put(at(2), await verdictOf(at(1), at(2)))
    expect(await walk(at(3), { accepted: at(1) })).toMatchObject({ proven: true })
    expect(await walk(at(3), { accepted: at(2) })).toEqual({
      proven: false,
      commit: at(3),
      reason: expect.stringContaining(`started from ${at(1)}, before ${at(2)}`) as unknown,
      errorClass: 'unreviewed_commit',
    })
    put(at(3), await verdictOf(at(2), at(3)))
    expect(await walk(at(3), { accepted: at(2) })).toMatchObject({ proven: true })
  })

  it('is on the way by a stretch that a later review showed, whatever became of its own verdict', async () => {
    const range = async (base: number, head: number) => ({
      base_sha: at(base),
      head_sha: at(head),
      diff_sha256: await withNeutralGit(chain.repo, (each) => each.diffDigest(at(base), at(head))),
      files: [],
    })
    put(at(1), 'broken')
    put(at(3), {
      ...(await verdictOf(at(2), at(3))),
      unproven: [await range(0, 1), await range(1, 2)],
    })
    expect(await walk(at(3), { accepted: at(1) })).toMatchObject({ proven: true })
    put(at(3), { ...(await verdictOf(at(2), at(3))), unproven: [await range(0, 2)] })
    expect(await walk(at(3), { accepted: at(1) })).toMatchObject({
      proven: false,
      commit: at(2),
      errorClass: 'unreviewed_commit',
    })
  })
})
