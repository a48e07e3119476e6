import type { CommandRow } from './command-row.ts'
import { json } from './common.ts'

/** Checks that hostd does not start. They change nothing. */
export const checkCommands: readonly CommandRow[] = [
  {
    name: 'assert-pull-only',
    description: 'prove that this host can fetch and cannot push',
    options: [json],
    load: () => import('../commands/assert-pull-only.ts'),
  },
]
