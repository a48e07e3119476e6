import { writeJson } from '../json-file.ts'
import { redact } from './redaction.ts'

/** Writes a document that people and proofs keep: like `writeJson`, without what is secret in its texts. */
export const writeDocument = (path: string, value: unknown): void =>
  writeJson(path, redact.json(value))
