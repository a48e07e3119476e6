import type { z } from 'zod'
import type { HostSettings } from '#shared/config'
import type { ConnectorName } from '#shared/connectors'
import type { HostPaths } from '#ops/base/paths/paths'
import type { ReadRules } from './read-secret.ts'

/** A secret of a connector. */
export interface SecretSource {
  /** Path below `$OPENCLAW_ETC/secrets/`. */
  readonly ref: string
  /** What it holds, for people. */
  readonly holds: string
}

export interface CheckRequest<Name extends ConnectorName> {
  readonly settings: HostSettings[Name]
  readonly paths: Pick<HostPaths, 'etc'>
  readonly rules: ReadRules
  readonly signal: AbortSignal
}

/** One external service that HQ holds a secret for. */
export interface Connector<Name extends ConnectorName> {
  readonly name: Name
  /** For people. */
  readonly title: string
  /** Its object in host.json. */
  readonly settings: z.ZodType<HostSettings[Name]>
  /** The secrets that the check reads with these settings. */
  readonly secrets: (settings: HostSettings[Name]) => readonly SecretSource[]
  /**
   * Checks live whether the service accepts the secrets.
   * @returns what was found, for a person
   * @throws {Problem} of a class that is a state of a connector, see `check-connectors.ts`
   */
  readonly check: (request: CheckRequest<Name>) => Promise<string>
  /** Lets the operator sign in and stores the secret; null where HQ cannot do that yet. */
  readonly capture: null
}
