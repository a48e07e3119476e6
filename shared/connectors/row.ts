import type { z } from 'zod'
import type { ConnectWay } from './ways.ts'

/** One external service that HQ holds a secret for, as laptop, host and page know it. */
export interface ConnectorRow {
  /** For people. */
  readonly title: string
  /**
   * The setting that is null on a host that does without this connector; null: every host needs it, and Phase 0 waits
   * for it.
   */
  readonly configuredBy: string | null
  /** The ways in which a host can sign in; a report names the one that was checked. */
  readonly modes: readonly string[]
  /** Its object in host.json. It has a default for every field. */
  readonly settings: z.ZodType<{ readonly mode: string; readonly timeout_seconds: number }>
  /** Names of fields that hold its secrets, in lower case, beyond those that redaction knows by itself. */
  readonly secretNames: readonly string[]
  /** The secrets that a laptop may send to the host, by the `kind` that the request names. */
  readonly secrets: readonly string[]
  /** What Disconnect does at the service, and what it leaves there, in a sentence or two. */
  readonly disconnect: string
  /** How a person connects it, for each of `modes`. */
  readonly ways: { readonly [mode: string]: ConnectWay }
}
