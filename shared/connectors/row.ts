import type { z } from 'zod'

/** One external service that HQ holds a secret for, as laptop, host and page know it. */
export interface ConnectorRow {
  /** For people. */
  readonly title: string
  /** The ways in which a host can sign in; a report names the one that was checked. */
  readonly modes: readonly string[]
  /** Its object in host.json. It has a default for every field. */
  readonly settings: z.ZodType<{ readonly mode: string; readonly timeout_seconds: number }>
  /** Names of fields that hold its secrets, in lower case, beyond those that redaction knows by itself. */
  readonly secretNames: readonly string[]
}
