/** The actions on one connector: what HQ starts by a button, and the same under the names that agents use. */
import { z } from 'zod'
import { laneOfConnector, type Action } from './action-row.ts'
import { connectorModes, connectorNames, type ConnectorName } from './connectors/list.ts'

const mode = z.enum(connectorModes).optional()
const named = z.strictObject({ name: z.enum(connectorNames) })

/** One check of the service, and one more of the secret in use when the new one is refused: each at most 90 s. */
const timeout_seconds = 240

/** Of an action whose parameters name the connector. */
const laneByName = {
  laneOf: ({ name }: Readonly<Record<string, unknown>>) => {
    const found = connectorNames.find((each) => each === name)
    return found === undefined ? 'connector' : laneOfConnector(found)
  },
} as const

const common = {
  result: 'connectors',
  bundle: null,
  timeout_seconds,
  lane: 'connector',
  in_maintenance: 'allowed',
  destructive: false,
} as const

type Verb = 'start' | 'status' | 'finalize' | 'revoke'

const argvOf =
  (verb: Verb, name?: ConnectorName) =>
  (params: Record<string, unknown>): readonly string[] => [
    'connector',
    verb,
    name ?? String(params['name']),
    ...(typeof params['mode'] === 'string' ? ['--mode', params['mode']] : []),
  ]

export const connectorActions = {
  connector_start: {
    ...common,
    title: 'Connector: what is waited for',
    button: 'Start connecting',
    ...laneByName,
    argv: argvOf('start'),
    params: named.extend({ mode }),
  },
  connector_status: {
    ...common,
    title: 'Connector: what is stored',
    button: 'Look for the secret',
    ...laneByName,
    argv: argvOf('status'),
    params: named.extend({ mode }),
  },
  connector_finalize: {
    ...common,
    title: 'Connector: prove the secret',
    button: 'Prove the secret',
    ...laneByName,
    argv: argvOf('finalize'),
    params: named.extend({ mode }),
  },
  connector_revoke: {
    ...common,
    title: 'Connector: delete the secret',
    button: 'Delete the secret',
    ...laneByName,
    argv: argvOf('revoke'),
    params: named,
    destructive: true,
  },
  kajabi_bootstrap_start: forAgents('start', 'kajabi', 'Kajabi bootstrap: start'),
  kajabi_bootstrap_status: forAgents('status', 'kajabi', 'Kajabi bootstrap: status'),
  kajabi_bootstrap_finalize: forAgents('finalize', 'kajabi', 'Kajabi bootstrap: finalize'),
  gmail_connect_start: forAgents('start', 'gmail', 'Gmail connect: start'),
  gmail_connect_status: forAgents('status', 'gmail', 'Gmail connect: status'),
  gmail_connect_finalize: forAgents('finalize', 'gmail', 'Gmail connect: finalize'),
} as const satisfies Record<string, Action>

/** A contract name for one verb and one connector. */
function forAgents(verb: Verb, name: ConnectorName, title: string) {
  return {
    ...common,
    lane: laneOfConnector(name),
    title,
    button: title,
    argv: argvOf(verb, name),
    params: z.strictObject({ mode }),
    forAgents: true,
  } as const
}
