import type { ConnectorName } from '#shared/connectors'
import type { Connector } from './common/connector.ts'
import { gmail } from './gmail/connector.ts'
import { kajabi } from './kajabi/connector.ts'

/** Every connector by its name. A new one is a folder and a line here. */
export const connectors: { readonly [Name in ConnectorName]: Connector<Name> } = { kajabi, gmail }
