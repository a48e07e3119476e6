import { Problem } from '#shared/errors'
import { verdictDocument, type SignatureState, type SignedVerdict } from '#shared/signature'
import type { Verdict } from '#shared/verdict'
import { messageOf } from '#shared/system-error'
import { checkSignature, signDocument } from './signed-document.ts'
import type { SigningKey } from './signing-key.ts'
import type { TrustedKeys } from './trusted-keys.ts'

/** @throws {Problem} `review_invalid` when the reviewer's text holds broken Unicode, which has no canonical form */
export function signVerdict(verdict: Verdict, key: SigningKey): SignedVerdict {
  try {
    return signDocument('verdict', verdict, key)
  } catch (error) {
    throw new Problem(
      'review_invalid',
      `The verdict cannot be signed: ${messageOf(error)}. Nothing was pushed.`,
      { cause: error },
    )
  }
}

/** Whose signature does a verdict have? Reads nothing and never throws. @param value the parsed JSON of a verdict */
export function checkVerdictSignature(value: unknown, keys: TrustedKeys): SignatureState {
  const { data: document } = verdictDocument.safeParse(value)
  if (document === undefined) return 'invalid'
  if (document.signature === undefined) return 'unverified'
  const state = checkSignature('verdict', { ...document, signature: document.signature }, keys)
  return state === 'no_key_enrolled' ? 'unverified' : state
}
