import { beforeEach, describe, expect, it } from 'vitest'
import { signVerdict } from '#ops/core/trust/sign-verdict'
import { newKeyPem, signingKeyFromPem, toTrustedKey } from '#ops/core/trust/signing-key'
import { trustKeys } from '#ops/core/trust/trusted-keys'
import { statementRef, type PushedStatement, type Statement } from '#shared/statement'
import { reviewRef, type Verdict } from '#shared/verdict'
import { reviewStatement, testsStatement } from '#ops/core/trust/commit-statements'
import { signStatement } from '#ops/core/trust/envelope'
import { verdictChain } from './chain-bench.ts'

const { git, verdictOf, put, at, walk } = verdictChain()

describe('the statements beside a verdict', () => {
  const ours = signingKeyFromPem(newKeyPem(), 'test')
  const theirs = signingKeyFromPem(newKeyPem(), 'test')
  const keys = trustKeys([toTrustedKey(ours), toTrustedKey(theirs)], 'trust.json')
  const outsider = signingKeyFromPem(newKeyPem(), 'test')
  const putStatement = (kind: PushedStatement, text: string): void => {
    const blob = git(['hash-object', '-w', '--stdin'], text)
    git(['update-ref', statementRef(kind, at(1)), blob])
  }
  const testsOf = (verdict: Verdict, result = 'PASSED'): Statement => {
    const made = testsStatement({
      commit: verdict,
      runId: verdict.run_id,
      configuration: [],
      suites: [],
    })
    return { ...made, predicate: { ...made.predicate, result } }
  }
  let good: Verdict
  beforeEach(async () => {
    good = await verdictOf(at(0), at(1))
    put(at(1), signVerdict(good, ours))
  })

  it('may be missing, and may agree', async () => {
    expect(await walk(at(1), { keys })).toMatchObject({ proven: true })
    putStatement('review', signStatement(reviewStatement(good), ours))
    expect(await walk(at(1), { keys })).toMatchObject({ proven: true })
    putStatement('tests', signStatement(testsOf(good), ours))
    expect(await walk(at(1), { keys })).toMatchObject({ proven: true })
    expect(await walk(at(1))).toMatchObject({ proven: true })
  })

  it('are nothing without the verdict', async () => {
    putStatement('review', signStatement(reviewStatement(good), ours))
    git(['update-ref', '-d', reviewRef(at(1))])
    expect(await walk(at(1), { keys })).toMatchObject({ errorClass: 'unreviewed_commit' })
  })

  it('break the chain when they contradict it or nobody trusts them', async () => {
    const about = (commit: string): Verdict => ({ ...good, head_sha: commit })
    const cases: [PushedStatement, string, string, string][] = [
      [
        'review',
        signStatement(reviewStatement(about(at(2))), ours),
        'statement_mismatch',
        'commit',
      ],
      [
        'review',
        signStatement(reviewStatement({ ...good, summary: 'Do not ship.' }), ours),
        'statement_mismatch',
        'something else',
      ],
      [
        'review',
        signStatement(reviewStatement({ ...good, base_sha: at(2) }), ours),
        'statement_mismatch',
        'something else',
      ],
      ['review', signStatement(testsOf(good), ours), 'statement_mismatch', 'of type'],
      ['review', signStatement(reviewStatement(good), theirs), 'statement_mismatch', 'another key'],
      ['tests', signStatement(testsOf(about(at(2))), ours), 'statement_mismatch', 'commit'],
      ['tests', signStatement(testsOf(good, 'FAILED'), ours), 'statement_mismatch', 'not pass'],
      [
        'tests',
        signStatement(testsOf(good), outsider),
        'verdict_signature_invalid',
        'not enrolled',
      ],
      ['tests', `${signStatement(testsOf(good), ours)} `, 'verdict_signature_invalid', 'envelope'],
      ['review', JSON.stringify(signVerdict(good, ours)), 'verdict_signature_invalid', 'envelope'],
    ]
    for (const [kind, text, errorClass, reason] of cases) {
      putStatement(kind, text)
      expect(await walk(at(1), { keys }), reason).toMatchObject({
        proven: false,
        errorClass,
        reason: expect.stringContaining(reason) as unknown,
      })
      git(['update-ref', '-d', statementRef(kind, at(1))])
    }
  })

  it('break the chain when they are not a file', async () => {
    git(['update-ref', statementRef('tests', at(1)), at(2)])
    expect(await walk(at(1), { keys })).toMatchObject({ errorClass: 'statement_mismatch' })
  })
})
