import type { RemediationId } from './remediations.ts'

/** All that is known of one failure class. Terminal and window print the same `sentence`. */
export interface ErrorRow {
  /** Status of the HTTP answer, for classes that hostd answers with. */
  readonly http?: number
  /** The same pipeline may be started again although nobody changed anything. Never, unless stated. */
  readonly retryable?: true
  /** A rule refused it; nothing broke. Shown as "Blocked" instead of "Fail". */
  readonly blocked?: true
  /** The remedy of this class: an id of `shared/errors/remediations.ts`. */
  readonly next_auto_fix: RemediationId
  /** A short noun phrase for a heading, without a period. */
  readonly title: string
  /** What happened, in plain English, without a period at its end. Fact, not advice. */
  readonly sentence: string
}
