import { commitId } from '#shared/ids'
import type { CommandRow } from './command-row.ts'
import { matching, repairCount } from './option-parsers.ts'
import { json, repository } from './common.ts'

/** From a commit on the laptop to the version that the host serves. */
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
    name: 'deploy',
    description: 'deploy origin/main and verify it; try again until it is green',
    options: [
      { flags: '--once', description: 'run the deploy pipeline once, without a retry' },
      {
        flags: '--unpin',
        description: 'deploy origin/main again although you rolled back from it',
      },
      json,
    ],
    load: () => import('../commands/deploy.ts'),
  },
  {
    name: 'rollback',
    description:
      'deploy the last green commit before the one that serves; it stays pinned until the next ship',
    options: [
      {
        flags: '--to <sha>',
        description: 'full id of a commit that was green and whose build is kept',
        parse: matching(commitId, 'the full id of a commit'),
      },
      { flags: '--once', description: 'make one attempt', internal: true },
      json,
    ],
    load: () => import('../commands/rollback.ts'),
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
