import { z } from 'zod'
import { actionIds, actionOf, type ActionId } from '#shared/actions'
import { connectorName } from '#shared/connectors'
import { commitId } from '#shared/ids'
import { collectParts } from '#shared/phase0'
import type { CommandModule, CommandRow, OptionRow } from './command-row.ts'
import { matching } from './option-parsers.ts'
import { json, unattended } from './common.ts'

const onlyNames = z
  .string()
  .transform((text) => text.split(','))
  .pipe(z.array(connectorName))

/** Options besides `--json`. */
const optionsOf: Readonly<Partial<Record<ActionId, readonly OptionRow[]>>> = {
  doctor: [unattended],
  guard: [unattended],
  tail_guard_log: [
    {
      flags: '--lines <n>',
      description: 'how many passes',
      default: '50',
      parse: matching(
        z.string().regex(/^(?:[1-9]\d?|[1-4]\d\d|500)$/),
        'a whole number from 1 to 500',
      ),
    },
  ],
  deploy_and_verify: [
    { flags: '--once', description: 'run the deploy pipeline once, without a retry' },
    { flags: '--unpin', description: 'deploy origin/main again although you rolled back from it' },
  ],
  rollback: [
    {
      flags: '--to <sha>',
      description: 'full id of a commit that was green and whose build is kept',
      parse: matching(commitId, 'the full id of a commit'),
    },
    { flags: '--once', description: 'make one attempt', internal: true },
  ],
  selftest: [
    { flags: '--junit <path>', description: 'also write a JUnit report, for a ship' },
    {
      flags: '--sockets',
      description: 'audit the sockets of a network namespace',
      internal: true,
    },
  ],
  connectors_status: [
    {
      flags: '--probe',
      description: 'check in this process and print the reports as JSON',
      internal: true,
    },
    {
      flags: '--only <names>',
      description: 'check these connectors alone, separated by commas',
      parse: matching(onlyNames, 'names of connectors'),
      internal: true,
    },
    {
      flags: '--candidates',
      description: 'check new secrets that wait for their proof',
      internal: true,
    },
    {
      flags: '--renewals',
      description: 'print renewed secrets too, for the program that starts this one',
      internal: true,
    },
    {
      flags: '--about',
      description: 'print also which secrets each report is about',
      internal: true,
    },
    {
      flags: '--withdraw',
      description: 'have the service forget the secret',
      internal: true,
    },
  ],
  phase0: [
    {
      flags: '--collect <part>',
      description: 'collect library or harvest in this process and print what is found',
      internal: true,
      parse: matching(z.enum(collectParts), collectParts.join(' or ')),
    },
  ],
}

/** The commands that are an action: their rows in `shared/actions.ts` name them, and the file has the same name. */
export const actionCommands: readonly CommandRow[] = actionIds.flatMap((id) => {
  const { argv, summary } = actionOf(id)
  const [name] = argv({})
  if (summary === undefined || name === undefined) return []
  return {
    name,
    description: summary,
    options: [...(optionsOf[id] ?? []), json],
    load: async () => (await import(`../commands/${name}.ts`)) as CommandModule,
  }
})
