/** What ends a failure. */
export interface Remediation {
  /** HQ or the host does it without a person. */
  readonly automatic: boolean
  /** Who acts, where, and what they do: one or more whole sentences. */
  readonly title: string
  /** The same for a reader of the console on the host, which has neither settings nor a Ship page. */
  readonly console?: string
}
