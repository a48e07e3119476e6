import type { HostSettings } from '#shared/config'
import type { ConnectorName } from '#shared/connectors/list'
import type { ReadRules, SecretFile } from './read-secret.ts'

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
   * Call it before the service is requested for a new secret in place of this one.
   * @param ref as above
   * @returns keeps the new secret, once the service gave it; call it at once, because the old one ends then
   */
  readonly renewing: (ref: string) => (secret: object) => void
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
  /**
   * Has the service forget the secret, before the host deletes it; absent: the service offers no way.
   * @returns what was done, for a person; null: the service offers no way for this secret
   * @throws {Problem} when the service did not confirm it; the host deletes the secret all the same
   */
  readonly revoke?: (request: CheckRequest<Name>) => Promise<string | null>
}
