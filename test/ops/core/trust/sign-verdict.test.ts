import { describe, expect, it } from 'vitest'
import { checkVerdictSignature, signVerdict } from '#ops/core/trust/sign-verdict'
import { newKeyPem, signingKeyFromPem, toTrustedKey } from '#ops/core/trust/signing-key'
import { trustKeys } from '#ops/core/trust/trusted-keys'
import { signedVerdict, verdictDocument } from '#shared/signature'
import { sampleVerdict as verdict } from '../../../support/verdict.ts'

describe('a signed verdict', () => {
  const key = signingKeyFromPem(newKeyPem(), 'test')
  const keys = trustKeys([toTrustedKey(key)], 'trust.json')
  const signed = signVerdict(verdict, key)

  it('is a verdict of its schema that verifies after a round trip through any JSON writer', () => {
    expect(signedVerdict.parse(signed)).toEqual(signed)
    expect(checkVerdictSignature(signed, keys)).toBe('verified')
    const reordered: unknown = JSON.parse(
      JSON.stringify(Object.fromEntries(Object.entries(signed).toReversed()), null, 8),
    )
    expect(checkVerdictSignature(reordered, keys)).toBe('verified')
  })

  it('is invalid when anything in it was edited', () => {
    for (const edit of [
      { head_sha: 'f'.repeat(40) },
      { base_sha: 'f'.repeat(40) },
      { repository: 'other' },
      { summary: '' },
      { reviewer: { ...verdict.reviewer, base_url: 'https://evil.invalid/v1' } },
      { created_at: '2026-11-24T00:00:00.000Z' },
    ]) {
      expect(checkVerdictSignature({ ...signed, ...edit }, keys)).toBe('invalid')
    }
    expect(checkVerdictSignature({ ...signed, added: 1 }, keys)).toBe('invalid')
    expect(
      checkVerdictSignature(
        { ...signed, signature: { ...signed.signature, algorithm: 'none' } },
        keys,
      ),
    ).toBe('invalid')
    for (const value of [null, 1, 'x', [], {}, { signature: signed.signature }])
      expect(checkVerdictSignature(value, keys)).toBe('invalid')
  })

  it('of an old key, or of a key under the name of another, is not verified', () => {
    const old = signingKeyFromPem(newKeyPem(), 'test')
    expect(checkVerdictSignature(signVerdict(verdict, old), keys)).toBe('unknown_key')
    const forged = signVerdict(verdict, old)
    expect(
      checkVerdictSignature(
        { ...forged, signature: { ...forged.signature, key_id: key.id } },
        keys,
      ),
    ).toBe('invalid')
  })

  it('is distinguished from an unsigned one and from one that nobody can check', () => {
    expect(checkVerdictSignature(verdict, keys)).toBe('unverified')
    expect(verdictDocument.parse(verdict).signature).toBeUndefined()
    expect(checkVerdictSignature(signed, new Map())).toBe('unverified')
  })

  it('cannot be made of broken Unicode, which has no canonical form', () => {
    expect(() => signVerdict({ ...verdict, summary: '\ud800' }, key)).toThrow(
      expect.objectContaining({ errorClass: 'review_invalid' }),
    )
    expect(checkVerdictSignature({ ...signed, summary: '\ud800' }, keys)).toBe('invalid')
  })
})
