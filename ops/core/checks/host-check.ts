import type { RemediationId } from '#shared/errors/remediations'
import type { Check, Finding } from './check.ts'
import type { DoctorContext } from './context.ts'

/** A check of a host as its file defines it: what it is called, what it is for, and how it is made. */
export interface HostCheck extends Pick<Check, 'limitMs' | 'late'> {
  /** Its name in result documents. */
  readonly name: string
  /** For people: a noun phrase. */
  readonly title: string
  /** For people: one sentence that says when it passes. */
  readonly description: string
  /** Remedies that it can name. The first is for a check that exceeds its limit or throws. */
  readonly remedies: readonly [RemediationId, ...RemediationId[]]
  readonly run: (context: DoctorContext, signal: AbortSignal) => Promise<Finding> | Finding
}

/** The check of one host. */
export const checkOf = (
  { name, remedies, run, limitMs, late }: HostCheck,
  context: DoctorContext,
): Check => ({
  name,
  remedy: remedies[0],
  run: (signal) => run(context, signal),
  ...(limitMs === undefined ? {} : { limitMs }),
  ...(late === undefined ? {} : { late }),
})
