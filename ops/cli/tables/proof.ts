import { runId } from '#shared/ids'
import type { CommandRow } from './command-row.ts'
import { matching } from './option-parsers.ts'
import { json } from './common.ts'

/** Runs and what they left. */
export const proofCommands: readonly CommandRow[] = [
  {
    name: 'runs',
    description: 'list the runs of the host; with --follow, print the live log of one',
    options: [
      {
        flags: '--follow <run_id>',
        description: 'follow this run to its end',
        parse: matching(runId, 'the id of a run, as `hq runs` lists them'),
      },
      json,
    ],
    load: () => import('../commands/runs.ts'),
  },
  {
    name: 'reindex',
    description: 'rebuild the index of runs from their folders',
    options: [json],
    load: () => import('../commands/reindex.ts'),
  },
  {
    name: 'proof',
    description: 'work with the proof bundles of this machine',
    subcommands: [
      {
        name: 'verify',
        description: 'check that a proof is as it was sealed and that its chain is complete',
        arguments: [
          {
            form: '<path-or-run-id>',
            description: 'folder of a bundle, artifacts folder, or run id',
          },
        ],
        options: [json],
        load: () => import('../commands/proof.ts'),
      },
      {
        name: 'export',
        description: 'write the statements of a run into one file that other programs verify',
        arguments: [{ form: '<run-id>', description: 'id of a run' }],
        options: [
          {
            flags: '--out <file>',
            description: 'the file; it must not exist yet (default: RUN_ID.intoto.jsonl)',
          },
          json,
        ],
        load: () => import('../commands/proof-export.ts'),
      },
    ],
  },
]
