import { writeJson } from '#ops/base/files/json-file'
import { redact } from './redaction.ts'

/** Writes a document that people and proofs keep: like `writeJson`, without what is secret in its texts. */
export const writeDocument = (path: string, value: unknown): void =>
  writeJson(path, redact.json(value))
