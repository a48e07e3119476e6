import { actionCommands } from './actions.ts'
import type { CommandRow } from './command-row.ts'
import { connectorCommands } from './connectors.ts'
import { hostCommands } from './host.ts'
import { internalCommands } from './internal.ts'
import { proofCommands } from './proof.ts'
import { checkCommands } from './checks.ts'
import { releaseCommands } from './release.ts'

/** Every command of `hq`, in the order in which help lists them. */
export const commandTable: readonly CommandRow[] = [
  ...releaseCommands,
  ...actionCommands,
  ...connectorCommands,
  ...checkCommands,
  ...hostCommands,
  ...proofCommands,
  ...internalCommands,
]
