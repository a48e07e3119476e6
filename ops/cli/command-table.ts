import type { CommandRow } from './command-row.ts'
import { hostCommands } from './tables/host.ts'
import { internalCommands } from './tables/internal.ts'
import { proofCommands } from './tables/proof.ts'
import { checkCommands } from './tables/checks.ts'
import { releaseCommands } from './tables/release.ts'

/** Every command of `hq`, in the order in which help lists them. */
export const commandTable: readonly CommandRow[] = [
  ...releaseCommands,
  ...checkCommands,
  ...hostCommands,
  ...proofCommands,
  ...internalCommands,
]
