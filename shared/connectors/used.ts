import { connectorNames, connectors, type ConnectorName } from './list.ts'
import type { ConnectorRow } from './row.ts'

/** The objects of the connectors in host.json. */
type ConnectorSettings = { readonly [Name in ConnectorName]: object }

/** The setting that configures a connector; null: every host needs it, and Phase 0 waits for it. */
export const configuredBy = (name: ConnectorName): string | null => {
  const row: ConnectorRow = connectors[name]
  return row.configuredBy
}

/** Every host needs it, and Phase 0 waits for it. */
export const isRequired = (name: ConnectorName): boolean => configuredBy(name) === null

/** Connectors that every host needs, in the order of `connectorNames`. */
export const requiredConnectors: readonly ConnectorName[] = connectorNames.filter(isRequired)

/** Does a host whose object of this connector has these values use it? A host may do without one that is optional. */
export function isUsed(name: ConnectorName, settings: object): boolean {
  const setting = configuredBy(name)
  return setting === null || new Map<string, unknown>(Object.entries(settings)).get(setting) != null
}

/** The connectors that count on a host: those that every host needs, and those that it configures; in order. */
export const usedConnectors = (settings: ConnectorSettings): readonly ConnectorName[] =>
  connectorNames.filter((name) => isUsed(name, settings[name]))
