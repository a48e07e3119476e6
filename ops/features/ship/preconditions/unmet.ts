// A precondition of a ship that is not met, as preflight refuses it and as HQ shows it.
import { Problem, type ErrorClass } from '#shared/errors'

export interface Unmet {
  readonly errorClass: ErrorClass
  /** Ends with a full stop. HQ shows it beside the button. */
  readonly sentence: string
  readonly evidence?: readonly string[]
}

/** @param untouched what stays as it was; the end of the message */
export const problemOf = ({ errorClass, sentence, evidence }: Unmet, untouched: string): Problem =>
  new Problem(errorClass, `${sentence} ${untouched}`, evidence === undefined ? {} : { evidence })

/** @throws {Problem} when there is something unmet */
export function refuse(unmet: Unmet | null, untouched = 'Nothing was changed.'): void {
  if (unmet) throw problemOf(unmet, untouched)
}

/** The first three of a list, for a sentence. */
export const some = (files: readonly string[]): string =>
  files.length <= 3
    ? files.join(', ')
    : `${files.slice(0, 3).join(', ')} and ${files.length - 3} more`
