import type { Range } from '#ops/core/trust/verdict-link'

/** The commits of one change: everything after `base`, up to and with `head`. */
export interface Change {
  /** Root of the working tree, or a bare repository. */
  readonly repo: string
  readonly base: string
  readonly head: string
}

/** A change, and what lies below its head and no verdict that counts covers, oldest first. */
export interface ReviewedChange extends Change {
  readonly unproven: readonly Range[]
}

/** The commit up to which everything is proven: what decides about the change is read from it. */
export const provenStart = ({
  base,
  unproven,
}: Pick<ReviewedChange, 'base' | 'unproven'>): string => unproven[0]?.base_sha ?? base
