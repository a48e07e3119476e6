import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { signVerdict } from '#ops/core/trust/sign-verdict'
import { newKeyPem, signingKeyFromPem, toTrustedKey } from '#ops/core/trust/signing-key'
import type { ErrorClass } from '#shared/errors'
import type { Verdict } from '#shared/verdict'
import { deployHost, type DeployHost } from '../../../support/host.ts'
import { expectStop } from '../../../support/stopped.ts'

const laptop = signingKeyFromPem(newKeyPem(), 'the laptop')
const other = signingKeyFromPem(newKeyPem(), 'another machine')
const signed = (verdict: Verdict): object => signVerdict(verdict, laptop)

let at: DeployHost
let good: string
beforeAll(async () => {
  at = await deployHost({ message: 'one' })
  at.trust({ keys: [toTrustedKey(laptop)] })
  good = await at.ship({ message: 'two' }, { verdict: signed })
  const { result } = await at.deploy()
  expect(result.overall, JSON.stringify(result.steps)).toBe('PASS')
})
afterAll(async () => {
  await at.remove()
})

describe('a host that knows the key of a laptop', () => {
  it('deploys what a verdict signed with that key approves', async () => {
    expect(await at.message()).toEqual({ message: 'two', commit: good })
  })

  const elsewhere: Partial<Verdict> = {
    repository: 'elsewhere',
    base_sha: 'a'.repeat(40),
    head_sha: 'b'.repeat(40),
    tree_sha: 'c'.repeat(40),
  }
  it.each<[string, ErrorClass, string, (verdict: Verdict) => object]>([
    ['is not signed', 'verdict_signature_invalid', 'is not signed', (verdict) => verdict],
    [
      'is signed with another key',
      'verdict_signature_invalid',
      'a key that is not enrolled',
      (verdict) => signVerdict(verdict, other),
    ],
    [
      'is signed with another key under the name of the known one',
      'verdict_signature_invalid',
      'the signature of its verdict does not match the verdict',
      (verdict) => {
        const { signature } = signVerdict(verdict, other)
        return { ...verdict, signature: { ...signature, key_id: laptop.id } }
      },
    ],
    [
      'was edited after it was signed',
      'verdict_signature_invalid',
      'the signature of its verdict does not match the verdict',
      (verdict) => ({
        ...signVerdict({ ...verdict, summary: 'do not deploy' }, laptop),
        summary: 'fine',
      }),
    ],
    [
      'is of another repository, well signed',
      'verdict_mismatch',
      'about another commit',
      (verdict) => signed({ ...verdict, ...elsewhere }),
    ],
    [
      'is of another repository, and was bent to this commit',
      'verdict_signature_invalid',
      'the signature of its verdict does not match the verdict',
      (verdict) => ({ ...signVerdict({ ...verdict, ...elsewhere }, laptop), ...verdict }),
    ],
    [
      'is of an earlier commit of this repository',
      'verdict_mismatch',
      'about another commit',
      (verdict) => signed({ ...verdict, head_sha: good }),
    ],
    [
      'is well signed, and by a reviewer that is not accepted',
      'provider_not_accepted',
      'is not accepted',
      (verdict) =>
        signed({
          ...verdict,
          reviewer: { ...verdict.reviewer, base_url: 'https://elsewhere.example/v1' },
        }),
    ],
  ])('deploys nothing when the verdict %s', async (name, errorClass, said, verdict) => {
    const sha = await at.ship({ message: name }, { reviewed: false, verdict })
    const deploy = await at.deploy()
    expectStop(at, deploy, errorClass, 'git_sync')
    expect(deploy.triage?.first_error?.text).toContain(sha)
    expect(deploy.triage?.first_error?.text).toContain(said)
    expect(at.git(at.host.paths.root, 'rev-parse', 'HEAD')).toBe(good)
    expect(await at.message()).toEqual({ message: 'two', commit: good })
  })

  it('deploys nothing when its trust file holds an invalid key', async () => {
    at.trust({ keys: [{ id: laptop.id, public_key: 'none' }] })
    const deploy = await at.deploy()
    at.trust({ keys: [toTrustedKey(laptop)] })
    expectStop(at, deploy, 'config_invalid', 'git_sync')
  })

  it('deploys the next signed change, which was reviewed from the last good one', async () => {
    const sha = await at.ship({ message: 'three' }, { verdict: signed })
    const { result } = await at.deploy()
    expect(result, JSON.stringify(result.steps)).toMatchObject({ overall: 'PASS', target_sha: sha })
    expect(await at.message()).toEqual({ message: 'three', commit: sha })
  })
})
