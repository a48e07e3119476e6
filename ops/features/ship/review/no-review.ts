// The sentence of a review that could not be made.
import { Problem } from '#shared/errors'

/** End of every message of the review gate. */
export const untouched = 'Nothing was pushed; main is as it was.'

/** @returns {Problem} `review_unavailable` @param why a clause without a full stop */
export const noReview = (
  why: string,
  more: { readonly cause?: unknown; readonly evidence?: readonly string[] } = {},
): Problem =>
  new Problem('review_unavailable', `No review was made, because ${why}. ${untouched}`, more)
