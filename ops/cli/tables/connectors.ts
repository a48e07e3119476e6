import { connectorModes, connectorNames } from '#shared/connectors/list'
import { z } from 'zod'
import type { CommandRow, OptionRow } from './command-row.ts'
import { json } from './common.ts'
import { matching } from './option-parsers.ts'

const name = { form: '<name>', description: connectorNames.join(', ') }

const mode: OptionRow = {
  flags: '--mode <mode>',
  description: 'how the host signs in (default: as host.json says)',
  parse: matching(z.enum(connectorModes), `one of ${connectorModes.join(', ')}`),
}

/** What is done with one connector. Its secret comes from HQ on a laptop, or lies on the host already. */
export const connectorCommands: readonly CommandRow[] = [
  {
    name: 'connector',
    description: 'connect one connector, prove its secret, or delete it',
    subcommands: [
      {
        name: 'start',
        description: 'say what is waited for; nothing is changed',
        arguments: [name],
        options: [mode, json],
        load: async () => ({ run: (await import('../commands/connector.ts')).start }),
      },
      {
        name: 'status',
        description: 'say which secrets lie on the host; none is read',
        arguments: [name],
        options: [mode, json],
        load: async () => ({ run: (await import('../commands/connector.ts')).status }),
      },
      {
        name: 'finalize',
        description: 'prove the new secret, or the one that lies on the host, and use it',
        arguments: [name],
        options: [mode, json],
        load: async () => ({ run: (await import('../commands/connector.ts')).finalize }),
      },
      {
        name: 'revoke',
        description: 'delete the secret, also at the service where it can be done',
        arguments: [name],
        options: [json],
        load: async () => ({ run: (await import('../commands/connector.ts')).revoke }),
      },
    ],
  },
]
