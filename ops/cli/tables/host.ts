import { keyId } from '#shared/signature'
import type { CommandRow } from './command-row.ts'
import { matching } from './option-parsers.ts'
import { json } from './common.ts'

/** Commands that set a host up or change its state. */
export const hostCommands: readonly CommandRow[] = [
  {
    name: 'maintenance',
    description: 'show or set maintenance mode',
    arguments: [{ form: '[set]', description: 'status, on or off', default: 'status' }],
    options: [json],
    load: () => import('../commands/maintenance.ts'),
  },
  {
    name: 'update-project-state',
    description: 'restore a lost project state from the proof of the last green deploy',
    options: [json],
    load: () => import('../commands/update-project-state.ts'),
  },
  {
    name: 'install',
    description: 'make this machine a host',
    subcommands: [
      {
        name: 'hostd',
        description:
          'install hostd, the runner and the timers as services; a second run changes nothing',
        options: [
          {
            flags: '--root <dir>',
            description: 'the clone that is deployed (default: OPENCLAW_ROOT)',
          },
          {
            flags: '--origin <url>',
            description:
              'clone this address if there is no clone yet; the host may only read from it',
          },
          { flags: '--uninstall', description: 'remove the services; the data stays' },
        ],
        load: () => import('../commands/install.ts'),
      },
    ],
  },
  {
    name: 'trust-key',
    description: 'trust the verdicts and ships of one more laptop, or stop trusting one',
    options: [
      { flags: '--public-key <pem>', description: 'the public key of the laptop' },
      { flags: '--label <name>', description: 'a name for people to recognise it by' },
      {
        flags: '--remove <id>',
        description: 'stop trusting the key with this id',
        parse: matching(keyId, 'the id of a key, 32 digits'),
        conflicts: ['publicKey', 'label'],
      },
      json,
    ],
    load: () => import('../commands/trust-key.ts'),
  },
]
