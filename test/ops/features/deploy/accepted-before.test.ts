import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { withNeutralGit } from '#ops/platform/git/neutral-diff'
import { signVerdict } from '#ops/core/trust/sign-verdict'
import {
  newKeyPem,
  signingKeyFromPem,
  toTrustedKey,
  type SigningKey,
} from '#ops/core/trust/signing-key'
import { checksResult } from '#shared/result'
import { reviewRef } from '#shared/verdict'
import { deployHost, type DeployHost } from '../../../support/host.ts'
import { hq } from '../../../support/hostd.ts'
import { expectStop } from '../../../support/stopped.ts'
import { testProvider, verdictFor } from '../../../support/verdict.ts'

const a = signingKeyFromPem(newKeyPem(), 'laptop A')
const b = signingKeyFromPem(newKeyPem(), 'laptop B')

let at: DeployHost
beforeAll(async () => {
  at = await deployHost({ message: 'one' })
  at.trust({ keys: [toTrustedKey(a), toTrustedKey(b)], review_providers: [testProvider] })
}, 300_000)
afterAll(async () => {
  await at.remove()
})

const push = (message: string): Promise<string> => at.ship({ message }, { reviewed: false })

/** A verdict as an older HQ made it: from a base of the laptop's choice. */
async function approve(key: SigningKey, base: string, head: string, more: object = {}) {
  const verdict = { ...(await verdictFor(at.origin, base, head)), ...more }
  const blob = execFileSync('git', ['hash-object', '-w', '--stdin'], {
    cwd: at.origin,
    encoding: 'utf8',
    input: JSON.stringify(signVerdict(verdict, key)),
  }).trim()
  at.git(at.origin, 'update-ref', reviewRef(head), blob)
}

const green = async (options?: Parameters<DeployHost['deploy']>[0]): Promise<void> => {
  const { result } = await at.deploy(options)
  expect(result, JSON.stringify(result.steps)).toMatchObject({ overall: 'PASS' })
}

it('G2 refuses a revert that no review showed, whose chain passes over the commit that it deployed', async () => {
  const m0 = at.git(at.origin, 'rev-parse', 'main')
  const m1 = await push('vulnerable')
  await approve(a, m0, m1)
  await green()
  const m2 = await push('fixed')
  await approve(b, m1, m2)
  await green()

  // The revert: its diff from M1 is empty, and A had never trusted the verdict of M2.
  const revert = await push('vulnerable')
  expect(at.git(at.origin, 'rev-parse', `${revert}^{tree}`)).toBe(
    at.git(at.origin, 'rev-parse', `${m1}^{tree}`),
  )
  await approve(a, m1, revert)
  const deploy = await at.deploy()
  expectStop(at, deploy, 'unreviewed_commit', 'git_sync')
  expect(deploy.triage?.first_error?.text).toContain(`started from ${m1}, before ${m2}`)
  // Doctor says beforehand what the next deploy will refuse.
  const { out } = await hq(at.host, ['doctor', '--json'])
  const doctor = checksResult.parse(JSON.parse(out))
  expect(doctor.checks.find(({ name }) => name === 'unproven_on_origin')).toMatchObject({
    status: 'WARN',
    detail: expect.stringContaining(`before ${m2}`) as string,
  })
  expect(await at.message()).toEqual({ message: 'fixed', commit: m2 })

  // The same with another file beside the revert, and with the review of something older.
  const more = await at.ship(
    { message: 'vulnerable' },
    { reviewed: false, files: { 'x.txt': 'x' } },
  )
  await approve(a, m0, more)
  expectStop(at, await at.deploy(), 'unreviewed_commit', 'git_sync')

  // A review that showed the revert: what the push changes, and what was not proven below.
  const shown = async (base: string, head: string) => ({
    base_sha: base,
    head_sha: head,
    diff_sha256: await withNeutralGit(at.origin, (neutral) => neutral.diffDigest(base, head)),
    files: [],
  })
  const next = await push('next')
  await approve(a, more, next, { unproven: [await shown(m1, m2), await shown(m2, more)] })
  await green()
  expect(await at.message()).toEqual({ message: 'next', commit: next })

  // Going back on purpose needs no review of what it undoes.
  await green({ action: 'rollback', params: { to: m2 } })
  expect(await at.message()).toEqual({ message: 'fixed', commit: m2 })
  const later = await push('later')
  await approve(b, next, later)
  await green()
  expect(await at.message()).toEqual({ message: 'later', commit: later })
}, 900_000)

it('lets the owner of the host start from a newer baseline, below which everything is trusted as it is', async () => {
  const before = at.git(at.origin, 'rev-parse', 'main')
  const odd = await push('by hand')
  expectStop(at, await at.deploy(), 'unreviewed_commit', 'git_sync')
  at.trust({ baseline: odd })
  await green()
  const next = await push('after it')
  await approve(a, before, next)
  expectStop(at, await at.deploy(), 'unreviewed_commit', 'git_sync')
}, 900_000)
