import type { HostSettings } from '#shared/config'
import type { ConnectorName } from '#shared/connectors/list'
import type { z } from 'zod'
import type { ReadRules, SecretFile, SecretKind } from './read-secret.ts'

/** What a service gave for a secret. */
export interface Exchanged<T> {
  readonly result: T
  /** The secret in place of the one that was used, which has ended; null: it did not renew it. */
  readonly renewed: object | null
}

export interface CheckRequest<Name extends ConnectorName> {
  readonly settings: HostSettings[Name]
  /**
   * Where the secret to check lies: the file itself, or the candidate that shall replace it.
   * @param ref the file, below `$OPENCLAW_ETC/secrets/`
   */
  readonly locate: (ref: string) => string
  readonly rules: ReadRules
  readonly signal: AbortSignal
  /**
   * Uses a secret in a way by which its service may renew it: no other process does so until `work` has ended, and what
   * the service gave is kept before anything else happens. Needs `renews` of the connector.
   * @param ref as above
   * @throws {SecretProblem} as `readSecret`; what `work` throws
   */
  readonly exchange: <T extends z.ZodType, R>(
    ref: string,
    kind: SecretKind<T>,
    work: (secret: z.output<T>) => Promise<Exchanged<R>>,
  ) => Promise<R>
}

/** What a connector is given to withdraw its secrets. */
export interface WithdrawRequest<Name extends ConnectorName> extends Pick<
  CheckRequest<Name>,
  'settings' | 'rules' | 'signal'
> {
  /** Where such a secret lies: the file itself, and the candidate that shall replace it, as far as they are there. */
  readonly places: (ref: string) => readonly string[]
}

/** What a check of a live secret found. */
export interface Found {
  /** For a person. */
  readonly detail: string
  /** The account that the secret belongs to, as its service names it. */
  readonly account?: string
  /** When the secret will stop working, as far as it or its service says. */
  readonly expiresAt?: Date
}

/** What a host does with one connector; `shared/connectors/` has its title, modes and settings. */
export interface Connector<Name extends ConnectorName> {
  /**
   * The files of its secrets, by the `kind` that `shared/connectors/` lists; absent: it has none.
   */
  readonly secrets?: (settings: HostSettings[Name]) => Readonly<Record<string, SecretFile>>
  /**
   * Checks live whether the service accepts the secrets.
   * @throws {Problem} of a class that is a state of a connector, see `check-connectors.ts`
   */
  readonly check: (request: CheckRequest<Name>) => Promise<Found>
  /** May its service renew the secret when it is used? Then one process at a time uses it. Absent: no. */
  readonly renews?: (settings: HostSettings[Name]) => boolean
  /**
   * Has the service forget the secrets, those that wait for their proof too, before the host deletes them; absent: the
   * service offers no way.
   * @returns what was done, for a person; null: the service offers no way for these secrets
   * @throws {Problem} when the service did not confirm it for each; the host deletes them all the same
   */
  readonly revoke?: (request: WithdrawRequest<Name>) => Promise<string | null>
}
