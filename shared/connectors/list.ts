import { gmail } from './gmail.ts'
import { httpToken } from './http-token.ts'
import { kajabi } from './kajabi.ts'
import type { ConnectorRow } from './row.ts'

/**
 * Every connector by its name in host.json and in reports. A new one is a file and a line here. The compiler then
 * insists on its check in `ops/features/connectors/registry.ts`.
 */
export const connectors = {
  kajabi,
  gmail,
  http_token: httpToken,
} as const satisfies Record<string, ConnectorRow>

type Connectors = typeof connectors
export type ConnectorName = keyof Connectors
export type ConnectorMode = Connectors[ConnectorName]['modes'][number]

export const connectorNames = Object.keys(connectors) as [ConnectorName, ...ConnectorName[]]
export const connectorModes = Object.values(connectors).flatMap(
  ({ modes }): readonly ConnectorMode[] => modes,
)
/** Names of fields that hold a secret of some connector, in lower case. */
export const connectorSecretNames: readonly string[] = Object.values(connectors).flatMap(
  ({ secretNames }): readonly string[] => secretNames,
)

/** The fields of host.json that hold the settings of the connectors. */
export const connectorFields = Object.fromEntries(
  Object.entries(connectors).map(([name, { settings }]) => [name, settings]),
) as { readonly [Name in ConnectorName]: Connectors[Name]['settings'] }
