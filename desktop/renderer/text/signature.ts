import type { SignatureState } from '#shared/signature'
import type { Tone } from './status.ts'

/** Who signed a verdict, as text. @param keyId null: there is no signature at all */
export function ofSignature(
  state: SignatureState,
  keyId: string | null,
): { tone: Tone; text: string } {
  if (keyId === null) return { tone: 'warn', text: 'no, the verdict is unsigned' }
  const key = keyId.slice(0, 12)
  const words: Record<SignatureState, { tone: Tone; text: string }> = {
    verified: { tone: 'pass', text: `by this laptop, key ${key}` },
    unverified: { tone: 'warn', text: `by key ${key}, not checked` },
    unknown_key: { tone: 'warn', text: `by key ${key} of another machine` },
    invalid: { tone: 'fail', text: 'no, it was changed after it was signed' },
  }
  return words[state]
}
