import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { walkVerdicts } from '#ops/core/trust/review-chain'
import { signVerdict } from '#ops/core/trust/sign-verdict'
import { newKeyPem, signingKeyFromPem, toTrustedKey } from '#ops/core/trust/signing-key'
import { trustKeys } from '#ops/core/trust/trusted-keys'
import { shipBlockedBy } from '#ops/features/ship/index'
import { signedVerdict, type SignedVerdict } from '#shared/signature'
import { reviewRef } from '#shared/verdict'
import { answerWith, approve } from '../../../support/responses-api.ts'
import { shipFixture } from '../../../support/ship-fixture.ts'
import type { Shipped } from '../../../support/ship-repo.ts'
import { expectStop } from '../../../support/ship-stop.ts'
import { verdictFor } from '../../../support/verdict.ts'

const at = shipFixture()
const otherLaptop = signingKeyFromPem(newKeyPem(), 'the other laptop')
const head = (): string => at.sample.git('rev-parse', 'HEAD')
const provider = (id: string) => ({
  id,
  label: 'Loopback',
  base_url: at.api.base_url,
  env_key: 'REVIEW_KEY',
  scripted: true,
})

/** Ships, and gives what the reviewer was shown. */
async function shipAndSee(): Promise<Shipped & { files: string[]; prompt: string }> {
  const seen: { files: string[]; prompt: string } = { files: [], prompt: '' }
  at.api.script((bindings, request) => {
    seen.files = bindings.files.toSorted()
    seen.prompt = request.prompt
    return approve(bindings, request)
  })
  return { ...(await at.sample.ship()), ...seen }
}

async function pass(): Promise<ReturnType<typeof verdictIn> & { files: string[]; prompt: string }> {
  const { result, dir, files, prompt } = await shipAndSee()
  expect(result, JSON.stringify(result.steps)).toMatchObject({ overall: 'PASS' })
  return { ...verdictIn(dir), files, prompt }
}

const verdictIn = (dir: string): { verdict: SignedVerdict; names: string[]; below: string[] } => {
  const verdict = signedVerdict.parse(JSON.parse(readFileSync(join(dir, 'verdict.json'), 'utf8')))
  return {
    verdict,
    names: verdict.files.map(({ path }) => path),
    below: (verdict.unproven ?? []).map(
      ({ base_sha, head_sha, files }) =>
        `${base_sha}..${head_sha} ${files.map(({ path }) => path).join(' ')}`,
    ),
  }
}

/** Puts a verdict that another laptop signed beside a commit, as its ship would, and moves main there. */
async function shippedElsewhere(base: string): Promise<string> {
  const commit = head()
  const verdict = {
    ...(await verdictFor(at.sample.repo, base, commit)),
    reviewer: {
      ...(await verdictFor(at.sample.repo, base, commit)).reviewer,
      provider_id: 'loopback',
      base_url: at.api.base_url,
    },
  }
  at.sample.git('push', '--quiet', 'origin', 'main')
  const blob = execFileSync('git', ['hash-object', '-w', '--stdin'], {
    cwd: at.sample.origin,
    encoding: 'utf8',
    input: JSON.stringify(signVerdict(verdict, otherLaptop)),
  }).trim()
  execFileSync('git', ['update-ref', reviewRef(commit), blob], { cwd: at.sample.origin })
  return commit
}

/** How a host walks that trusts both laptops. */
const hostWalk = (target: string, accepted: string) => {
  const file = join(at.sample.home, 'keys', 'ship_key.pem')
  const own = signingKeyFromPem(readFileSync(file, 'utf8'), 'this laptop')
  return walkVerdicts({
    repo: at.sample.origin,
    target,
    accepted,
    baseline: at.sample.git('rev-list', '--max-parents=0', 'HEAD'),
    acceptedProviders: [provider('loopback'), provider('renamed')],
    keys: trustKeys([toTrustedKey(own), toTrustedKey(otherLaptop)], 'the test'),
  })
}

describe('what a reviewer sees', () => {
  it('G2 is the revert of what another laptop shipped, and the host walks through that commit', async () => {
    at.sample.commit('M1', { 'app.txt': 'vulnerable\n' })
    await pass()
    const m1 = head()
    at.sample.commit('M2', { 'app.txt': 'fixed\n' })
    const m2 = await shippedElsewhere(m1)
    at.sample.git('revert', '--no-edit', 'HEAD')
    const { verdict, names, below, files, prompt } = await pass()
    expect(verdict.base_sha).toBe(m2)
    expect(names).toEqual(['app.txt'])
    expect(below).toEqual([`${m1}..${m2} app.txt`])
    expect(files).toEqual(['app.txt'])
    expect(prompt).toContain('-fixed\n+vulnerable\n')
    expect(await hostWalk(head(), m2)).toMatchObject({ proven: true })

    // The next ship starts from there: nothing is shown twice.
    at.sample.commit('M4', { 'other.txt': 'x\n' })
    expect((await pass()).below).toEqual([])
  })

  it('G2 a reviewer who refuses the revert stops it', async () => {
    at.sample.commit('M1', { 'app.txt': 'vulnerable\n' })
    await pass()
    const m1 = head()
    at.sample.commit('M2', { 'app.txt': 'fixed\n' })
    await shippedElsewhere(m1)
    at.sample.git('revert', '--no-edit', 'HEAD')
    at.api.script((bindings, request) =>
      request.prompt.includes('-fixed\n+vulnerable\n')
        ? answerWith({ verdict: 'CHANGES_REQUESTED' })(bindings, request)
        : approve(bindings, request),
    )
    await expectStop(at.sample, {
      error_class: 'review_blocked',
      step: 'review_auto',
      fix: 'fix_findings_and_ship',
      exit: 2,
    })
  })

  it('G3 is the revert of what a provider approved that is not accepted any more', async () => {
    const m0 = head()
    at.sample.commit('M1', { 'app.txt': 'fixed\n' })
    await pass()
    const m1 = head()
    at.sample.settings({ provider: 'renamed', providers: [provider('renamed')] })
    at.sample.git('revert', '--no-edit', '--no-commit', 'HEAD')
    at.sample.commit('Revert, with another file', { 'other.txt': 'x\n' })
    const { verdict, names, below, prompt } = await pass()
    expect(verdict.base_sha).toBe(m1)
    expect(names.toSorted()).toEqual(['app.txt', 'other.txt'])
    expect(below).toEqual([`${m0}..${m1} app.txt`])
    expect(prompt).toContain('deleted file mode')
    expect(await hostWalk(head(), m1)).toMatchObject({ proven: true })
  })

  it('G3 is the revert of what a lost ship key signed', async () => {
    at.sample.commit('M1', { 'app.txt': 'fixed\n' })
    await pass()
    const m1 = head()
    for (const name of ['keys', 'ship_key.json'])
      rmSync(join(at.sample.home, name), { recursive: true })
    at.sample.git('revert', '--no-edit', '--no-commit', 'HEAD')
    at.sample.commit('Revert, with another file', { 'other.txt': 'x\n' })
    const { verdict, names, below } = await pass()
    expect([verdict.base_sha, names.toSorted(), below.length]).toEqual([
      m1,
      ['app.txt', 'other.txt'],
      1,
    ])
  })

  it('G4 is what a merge undoes of main, although its second parent was reviewed', async () => {
    const m0 = head()
    at.sample.commit('S1', { 'side.txt': 'reviewed\n' })
    await pass()
    const s1 = head()
    // Main is set back, and another change is shipped there.
    at.sample.git('reset', '--quiet', '--hard', m0)
    at.sample.git('push', '--quiet', '--force', 'origin', 'main')
    at.sample.commit('M2', { 'fix.txt': 'the fix\n' })
    await pass()
    const m2 = head()
    const parents = ['-p', m2, '-p', s1]
    const merge = at.sample.git('commit-tree', `${s1}^{tree}`, ...parents, '-m', 'Old tree')
    at.sample.git('reset', '--quiet', '--hard', merge)
    const { verdict, names, below } = await pass()
    expect(verdict.base_sha).toBe(m2)
    expect(names.toSorted()).toEqual(['fix.txt', 'side.txt'])
    expect(below).toEqual([])
    expect(await hostWalk(merge, m2)).toMatchObject({ proven: true })
  })

  it('shows an unreviewed push that undoes reviewed work of another laptop, commit by commit', async () => {
    const m0 = head()
    at.sample.commit('M1', { 'app.txt': 'fixed\n' })
    const m1 = await shippedElsewhere(m0)
    at.sample.git('revert', '--no-edit', 'HEAD')
    at.sample.git('push', '--quiet', 'origin', 'main')
    const pushed = head()
    const settings = join(at.sample.home, 'settings.json')
    const text = JSON.parse(readFileSync(settings, 'utf8')) as object
    writeFileSync(settings, JSON.stringify({ ...text, baselines: { [at.sample.repo]: m0 } }))
    at.sample.commit('On top', { 'other.txt': 'x\n' })
    const { verdict, below, names } = await pass()
    expect([verdict.base_sha, names]).toEqual([pushed, ['other.txt']])
    expect(below).toEqual([`${m0}..${m1} app.txt`, `${m1}..${pushed} app.txt`])
    expect(await hostWalk(head(), m1)).toMatchObject({ proven: true })
  })
})

describe('a change without a changed file', () => {
  const stop = {
    error_class: 'nothing_to_ship',
    step: 'preflight',
    fix: 'commit_changes',
    exit: 2,
    detail: 'has the same content as',
  } as const
  const inHq = async (): Promise<string | undefined> =>
    (await shipBlockedBy({ ...at.sample, env: {}, hostName: 'laptop' }, {}))?.errorClass

  it('is never approved: an empty commit', async () => {
    at.sample.commit('Nothing')
    expect(await inHq()).toBe('nothing_to_ship')
    const calls = at.api.calls()
    await expectStop(at.sample, stop)
    expect(at.api.calls()).toBe(calls)
  })

  it('is never approved: a change and its revert', async () => {
    at.sample.commit('Something', { 'other.txt': 'x\n' })
    at.sample.git('revert', '--no-edit', 'HEAD')
    await expectStop(at.sample, stop)
  })

  it('is never approved: an empty commit that was pushed without a review', async () => {
    at.sample.commit('Reviewed', { 'other.txt': 'x\n' })
    await pass()
    at.sample.commit('Nothing')
    at.sample.git('push', '--quiet', 'origin', 'main')
    await expectStop(at.sample, stop)
  })
})
