import {
  manifest,
  tombstone,
  type Manifest,
  type ProofProblem,
  type ProofProblemCode,
  type Tombstone,
} from '#shared/proof'
import { describeIssues } from '#ops/base/files/json-file'
import { checkSignature, type SignedKind } from '#ops/core/trust/signed-document'
import type { TrustedKeys } from '#ops/core/trust/trusted-keys'
import { documentText } from './manifest-text.ts'
import { messageOf } from '#shared/system-error'

/** Notes one problem of the bundle at hand. */
export type Note = (code: ProofProblemCode, detail: string, file?: string) => void

export function noteInto(problems: ProofProblem[], runId: string | null): Note {
  return (code, detail, file) => {
    problems.push({ code, run_id: runId, file: file ?? null, detail })
  }
}

/** @returns the manifest, or null when the text is none; signature and spelling are noted but do not make it null */
export function parseManifest(text: string, keys: TrustedKeys, note: Note): Manifest | null {
  return parseSigned(text, { kind: 'manifest', schema: manifest, keys }, note)
}

/** The same for a tombstone. Everything wrong with it is `tombstone_invalid`. */
export function parseTombstone(text: string, keys: TrustedKeys, note: Note): Tombstone | null {
  let sound = true
  const parsed = parseSigned(
    text,
    { kind: 'tombstone', schema: tombstone, keys },
    (code, detail, file) => {
      if (code === 'no_key_enrolled') return note(code, detail, file)
      sound = false
      note('tombstone_invalid', detail, file)
    },
  )
  return sound ? parsed : null
}

interface SignedForm<T> {
  readonly kind: Extract<SignedKind, 'manifest' | 'tombstone'>
  readonly schema: {
    safeParse(
      value: unknown,
    ): { success: true; data: T } | { success: false; error: Parameters<typeof describeIssues>[0] }
  }
  readonly keys: TrustedKeys
}

function parseSigned<T extends Manifest | Tombstone>(
  text: string,
  { kind, schema, keys }: SignedForm<T>,
  note: Note,
): T | null {
  const file = `${kind}.json`
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    note('manifest_unreadable', `it is not JSON: ${messageOf(error)}`, file)
    return null
  }
  const parsed = schema.safeParse(value)
  if (!parsed.success) {
    note('manifest_off_schema', describeIssues(parsed.error).slice(0, 500), file)
    return null
  }
  const document = parsed.data
  if (text !== spelled(document))
    note(
      'manifest_respelled',
      'its text was changed after it was written: keys, numbers or spaces differ',
      file,
    )
  const state = checkSignature(kind, document, keys)
  if (state === 'invalid')
    note(
      'signature_invalid',
      `the signature of key ${document.signature.key_id} does not match this content`,
      file,
    )
  if (state === 'unknown_key')
    note(
      'unknown_key',
      `it is signed with key ${document.signature.key_id}, which is not enrolled`,
      file,
    )
  if (state === 'no_key_enrolled')
    note('no_key_enrolled', 'no key is enrolled to check its signature with', file)
  return document
}

function spelled(document: object): string | null {
  try {
    return documentText(document)
  } catch {
    return null // no canonical form: then it is not the spelling of anything that was sealed
  }
}
