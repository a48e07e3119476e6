import type { ConnectorName } from '#shared/connectors/list'
import type { Connector } from './common/connector.ts'
import { gmail } from './gmail/connector.ts'
import { http_token } from './http-token/connector.ts'
import { kajabi } from './kajabi/connector.ts'

/** The host's side of every connector of `shared/connectors/list.ts`. A new one is a folder and a line here. */
export const hostConnectors: { readonly [Name in ConnectorName]: Connector<Name> } = {
  kajabi,
  gmail,
  http_token,
}
