import { basename } from 'node:path'
import type { HostSettings } from '#shared/config'
import { connectorNames, type ConnectorName } from '#shared/connectors/list'
import type { SecretFile } from './common/read-secret.ts'
import { hostConnectors } from './registry.ts'

/** The file of one secret, with the name it has in the folder of the secrets. */
export interface NamedSecret extends SecretFile {
  readonly name: string
  readonly connector: ConnectorName
  readonly kind: string
}

/** The secrets of one connector on a host with these settings. */
// `Name` ties the connector to its settings, which a union of names cannot.
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export function secretsOf<Name extends ConnectorName>(
  connector: Name,
  settings: HostSettings,
): NamedSecret[] {
  const files = hostConnectors[connector].secrets?.(settings[connector]) ?? {}
  return Object.entries(files).map(([kind, file]) => ({
    ...file,
    name: basename(file.ref),
    connector,
    kind,
  }))
}

/** The secrets of all connectors. */
export const allSecrets = (settings: HostSettings): NamedSecret[] =>
  connectorNames.flatMap((name) => secretsOf(name, settings))

/** May a check of this connector renew its secret? */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- as above
export const mayRenew = <Name extends ConnectorName>(
  connector: Name,
  settings: HostSettings,
): boolean => hostConnectors[connector].renews?.(settings[connector]) ?? false
