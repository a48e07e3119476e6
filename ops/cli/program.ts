import { Command, CommanderError, Option, type Argument } from 'commander'
import { installRoot } from '#ops/base/process/program'
import { releaseVersion } from '#ops/core/host-state/releases'
import type { CommandRow, OptionRow } from './tables/command-row.ts'
import { commandTable } from './tables/command-table.ts'

/**
 * The command line of `hq`, built from the command table and not yet run. Nothing but the table is loaded: a command
 * file is imported when its command is called.
 * @param done receives the exit code of the command that ran
 */
export function buildProgram(done: (exitCode: number) => void = () => undefined): Command {
  const program = new Command('hq')
    .description('OpenClaw HQ: gated ship, verified deploy, proof.')
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .option('-V, --version', 'print the version, and on a host the commit it was built from')
    .on('option:version', () => {
      console.log(releaseVersion(installRoot()))
      throw new CommanderError(0, 'commander.version', 'version')
    })
  for (const row of commandTable) addCommand(program, row, done)
  return program
}

function addCommand(parent: Command, row: CommandRow, done: (exitCode: number) => void): void {
  const { name, description, load, subcommands = [], isDefault = false } = row
  const command = parent.command(name, { isDefault }).description(description)
  for (const each of row.arguments ?? [])
    command.argument(each.form, each.description, each.default)
  for (const each of row.options ?? []) command.addOption(optionOf(each))
  for (const each of subcommands) addCommand(command, each, done)
  if (load === undefined) return
  command.action(async () => {
    const file = await load()
    const options = { ...argumentsOf(command), ...command.opts<Record<string, unknown>>() }
    done(await file.run(options as never))
  })
}

function optionOf(row: OptionRow): Option {
  const option = new Option(row.flags, row.description)
  if (row.default !== undefined) option.default(row.default, row.defaultDescription)
  if (row.parse !== undefined) option.argParser(row.parse)
  if (row.conflicts !== undefined) option.conflicts([...row.conflicts])
  return option.hideHelp(row.internal === true)
}

const camelCase = (name: string): string =>
  name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())

const argumentsOf = (command: Command): Record<string, unknown> =>
  Object.fromEntries(
    command.registeredArguments.map((each: Argument, at) => [
      camelCase(each.name()),
      command.processedArgs[at],
    ]),
  )
