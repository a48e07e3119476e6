import type { z } from 'zod'
import { connectorsResult } from './connectors.ts'
import {
  checksResult,
  deployResult,
  dodResult,
  resultDocument,
  type CheckResult,
} from './result.ts'

/** The form of the result document of an action, by the kind in its row. `plain`: the common fields only. */
export const resultForms = {
  checks: checksResult,
  connectors: connectorsResult,
  deploy: deployResult,
  dod: dodResult,
  plain: resultDocument,
} as const

type Forms = typeof resultForms
export type ResultKind = keyof Forms
export type ActionResult = {
  readonly [Kind in ResultKind]: { readonly kind: Kind; readonly document: z.output<Forms[Kind]> }
}[ResultKind]

/**
 * The result of an action in the form of its kind.
 * @returns null when the document has another form: the run ended before it had its own
 */
export function resultOf(kind: ResultKind, document: unknown): ActionResult | null {
  const { data } = resultForms[kind].safeParse(document)
  return data === undefined ? null : ({ kind, document: data } as ActionResult)
}

/** The checks that a result lists; none for a kind that has no checks. */
export function checksIn(result: ActionResult | null): readonly CheckResult[] {
  if (result === null || result.kind === 'deploy' || result.kind === 'plain') return []
  return result.document.checks
}
