/** The commits of one change: everything after `base`, up to and with `head`. */
export interface Change {
  /** Root of the working tree, or a bare repository. */
  readonly repo: string
  readonly base: string
  readonly head: string
}
