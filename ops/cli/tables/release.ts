import type { CommandRow } from './command-row.ts'
import { repairCount } from './option-parsers.ts'
import { json, repository } from './common.ts'

/** From a commit on the laptop to origin/main. */
export const releaseCommands: readonly CommandRow[] = [
  {
    name: 'up',
    description: 'run the local demo: sandbox origin, sample app, hostd, runner and HQ',
    options: [
      { flags: '--root <dir>', description: 'folder of the sandbox', default: '.hq' },
      { flags: '--no-open', description: 'do not open a browser or window' },
      {
        flags: '--scripted-review',
        description:
          'let a local Responses API answer the real Codex CLI; its verdicts say "scripted (demo)"',
      },
    ],
    load: () => import('../demo/up.ts'),
  },
  {
    name: 'ship',
    description: 'test, review, check and push one commit',
    options: [
      repository,
      { flags: '--run-id <id>', description: 'use this run id (HQ passes it)' },
      json,
      {
        flags: '--until-green <n>',
        description:
          'have the configured implementer repair failed tests and refused reviews, at most n times',
        parse: repairCount,
      },
      {
        flags: '--init',
        description: 'install the pre-push hook in the repository; a second run changes nothing',
        conflicts: ['json', 'runId', 'untilGreen'],
      },
    ],
    load: () => import('../commands/ship.ts'),
  },
  {
    name: 'check-push',
    description: 'check whether the given refs may be pushed; the pre-push hook calls it',
    arguments: [{ form: '[remote...]', description: 'name and address of the remote, from git' }],
    load: () => import('../commands/check-push.ts'),
  },
  {
    name: 'next',
    description: 'show or set the one next action of docs/OPENCLAW_NEXT.md',
    subcommands: [
      {
        name: 'show',
        description: 'print the next action',
        isDefault: true,
        options: [repository],
        load: async () => ({ run: (await import('../commands/next.ts')).show }),
      },
      {
        name: 'set',
        description: 'write the next action',
        arguments: [{ form: '<text>', description: 'the next action, one line' }],
        options: [
          repository,
          { flags: '--commit', description: 'commit the change, so that the next ship holds it' },
        ],
        load: async () => ({ run: (await import('../commands/next.ts')).set }),
      },
    ],
  },
]
