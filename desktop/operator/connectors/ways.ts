import type { ConnectorName } from '#shared/connectors/list'
import type { Obtain } from './common/way.ts'

/** The laptop's side of each connector. A connector that is not here cannot be connected from HQ yet. */
export const ways: Readonly<Partial<Record<ConnectorName, Obtain>>> = {}
