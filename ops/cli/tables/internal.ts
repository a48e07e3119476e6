import type { CommandRow } from './command-row.ts'

/** Programs that HQ starts itself. */
export const internalCommands: readonly CommandRow[] = [
  {
    name: 'runner',
    description: 'serve one request of hostd on standard input (internal)',
    load: () => import('../commands/runner.ts'),
  },
  { name: 'hostd', description: 'run the daemon (the launcher starts it)' },
  { name: 'serve', description: 'serve HQ to the browser on loopback (the launcher starts it)' },
]
