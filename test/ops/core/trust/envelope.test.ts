import { dsse } from '@sigstore/core'
import { describe, expect, it } from 'vitest'
import { contradiction, reviewStatement, testsStatement } from '#ops/core/trust/commit-statements'
import { openEnvelope, signStatement } from '#ops/core/trust/envelope'
import { newKeyPem, signingKeyFromPem, toTrustedKey } from '#ops/core/trust/signing-key'
import { signVerdict } from '#ops/core/trust/sign-verdict'
import { trustKeys } from '#ops/core/trust/trusted-keys'
import { envelope as envelopeSchema, statementPayload } from '#shared/statement'
import type { PushedStatement, Statement } from '#shared/statement'
import { envelopeTamperings } from '../../../support/envelope-tampering.ts'
import { sampleVerdict } from '../../../support/verdict.ts'

const key = signingKeyFromPem(newKeyPem(), 'test')
const foreign = signingKeyFromPem(newKeyPem(), 'test')
const keys = trustKeys([toTrustedKey(key)], 'trust.json')
const verdict = signVerdict(sampleVerdict, key)
const statement = reviewStatement(verdict)
const text = signStatement(statement, key)
const tested = testsStatement({
  commit: verdict,
  runId: verdict.run_id,
  configuration: [{ name: 'openclaw.config.json', digest: { gitBlob: 'a'.repeat(40) } }],
  suites: [
    { name: 'unit', total: 2, passed: 2, failed: 0, skipped: 0, report_sha256: 'b'.repeat(64) },
    { name: 'slow', total: 2, passed: 1, failed: 0, skipped: 1, report_sha256: 'c'.repeat(64) },
  ],
})

/** Of two letters of base64 side by side, the spare bits of the last one differ. */
const nextLetter = (letter: string): string => String.fromCharCode(letter.charCodeAt(0) + 1)

describe('a statement in its envelope', () => {
  it('is an in-toto Statement v1 about commit and tree, and the same text each time', () => {
    expect(openEnvelope(text, keys)).toEqual({ state: 'verified', statement, keyId: key.id })
    expect(signStatement(statement, key)).toBe(text)
    expect(text).not.toContain('\n')
    expect(statement).toMatchObject({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [
        { digest: { gitCommit: verdict.head_sha } },
        { digest: { gitTree: verdict.tree_sha } },
      ],
    })
    expect(statement.predicate).toEqual(sampleVerdict)
  })

  it('says which suites passed with a warning', () => {
    expect(tested.predicate).toMatchObject({
      result: 'WARNED',
      passedTests: ['unit'],
      warnedTests: ['slow'],
      failedTests: [],
    })
  })

  it('is not checked without a key, and not trusted with other keys', () => {
    expect(openEnvelope(text, new Map())).toMatchObject({ state: 'no_key_enrolled', statement })
    const others = trustKeys([toTrustedKey(foreign)], 'trust.json')
    expect(openEnvelope(text, others)).toMatchObject({ state: 'unknown_key', statement })
  })

  it.each(envelopeTamperings)('is refused when somebody changed $name', ({ apply }) => {
    const changed = JSON.stringify(
      apply({ envelope: envelopeSchema.parse(JSON.parse(text)), statement, foreign }),
    )
    expect(changed).not.toBe(text)
    expect(openEnvelope(changed, keys).state).not.toBe('verified')
  })

  const resigned = (payload: Buffer | string): string =>
    JSON.stringify({
      payloadType: statementPayload,
      payload: Buffer.from(payload).toString('base64'),
      signatures: [
        {
          keyid: key.id,
          sig: key
            .sign(dsse.preAuthEncoding(statementPayload, Buffer.from(payload)))
            .toString('base64'),
        },
      ],
    })
  const plain = Buffer.from((JSON.parse(text) as { payload: string }).payload, 'base64').toString()

  it.each([
    ['a name that occurs twice', plain.replace('{', '{"_type":"https://in-toto.io/Statement/v1",')],
    ['another order', JSON.stringify(statement)],
    ['a field that HQ does not know', JSON.stringify({ ...statement, zzz: 1 })],
    ['no subject', JSON.stringify({ ...statement, subject: [] })],
    ['bytes that are not UTF-8', Buffer.concat([Buffer.from(plain), Buffer.from([0xff])])],
    ['broken Unicode', plain.replace('Looks right', String.raw`\ud800`)],
    ['nothing', ''],
  ])('is refused, although well signed, with %s', (_what, payload) => {
    expect(resigned(plain)).toBe(text)
    expect(openEnvelope(resigned(payload), keys).state).toBe('invalid')
  })

  it.each([
    ['a line feed at its end', `${text}\n`],
    [
      'a second signature',
      text.replace('"signatures":[', '"signatures":[{"keyid":"x","sig":"y"},'),
    ],
    ['a field beside the payload', text.replace('{', '{"extra":1,')],
    [
      'base64 with spare bits',
      text.replace(/(.)=="\}\]\}$/, (_all, last: string) => `${nextLetter(last)}=="}]}`),
    ],
    ['text that is not JSON', 'review'],
  ])('is refused with %s', (_what, changed) => {
    expect(changed).not.toBe(text)
    expect(openEnvelope(changed, keys).state).toBe('invalid')
  })
})

describe('a statement and a verdict', () => {
  const other: Statement = {
    ...statement,
    subject: [
      { name: 'sample', digest: { gitCommit: 'f'.repeat(40) } },
      ...statement.subject.slice(1),
    ],
  }
  it('agree when the statement says what the verdict says', () => {
    expect(contradiction('review', statement, verdict)).toBeNull()
    expect(contradiction('review', statement, sampleVerdict)).toBeNull()
    expect(contradiction('tests', tested, verdict)).toBeNull()
  })

  it.each<[string, PushedStatement, Statement]>([
    ['the commit', 'review', other],
    [
      'the order of the subjects',
      'review',
      { ...statement, subject: statement.subject.toReversed() },
    ],
    ['one more subject', 'tests', { ...tested, subject: [...tested.subject, ...other.subject] }],
    ['the kind', 'tests', statement],
    ['the summary', 'review', { ...statement, predicate: { ...sampleVerdict, summary: '' } }],
    ['a field', 'review', { ...statement, predicate: { ...sampleVerdict, more: 1 } }],
    ['the result', 'tests', { ...tested, predicate: { ...tested.predicate, result: 'FAILED' } }],
    [
      'a failed suite',
      'tests',
      { ...tested, predicate: { ...tested.predicate, failedTests: ['x'] } },
    ],
    ['the list of failed suites', 'tests', { ...tested, predicate: { result: 'PASSED' } }],
  ])('contradict each other by %s', (_what, kind, changed) => {
    expect(contradiction(kind, changed, verdict)).toEqual(expect.any(String))
  })
})
