import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { actionIds, actionOf } from '#shared/actions'
import type { CommandRow } from '#ops/cli/tables/command-row'
import { commandTable } from '#ops/cli/tables/command-table'
import { buildProgram } from '#ops/cli/program'

const leaves = (rows: readonly CommandRow[]): CommandRow[] =>
  rows.flatMap((row) => (row.subcommands ? leaves(row.subcommands) : [row]))

/** The command that these arguments name. */
function commandFor(argv: readonly string[], parent: Command): Command | undefined {
  const command = parent.commands.find((each) => each.name() === argv[0])
  return command && command.commands.length > 0 ? commandFor(argv.slice(1), command) : command
}

const params: Record<string, unknown> = {
  lines: 5,
  unpin: true,
  to: 'a'.repeat(40),
  public_key: 'key',
  label: 'laptop',
  id: 'b'.repeat(32),
}

describe('the program', () => {
  it('lists every command with a description, and every option and argument with one', () => {
    for (const command of buildProgram().commands.flatMap((each) => [each, ...each.commands])) {
      expect(command.description(), command.name()).not.toBe('')
      for (const { flags, description } of command.options)
        expect(description, `${command.name()} ${flags}`).not.toBe('')
      for (const each of command.registeredArguments)
        expect(each.description, `${command.name()} ${each.name()}`).not.toBe('')
    }
  })

  it.each(leaves(commandTable).flatMap(({ name, load }) => (load ? [{ name, load }] : [])))(
    'loads a command file with a function run for $name',
    async ({ load }) => {
      expect(typeof (await load()).run).toBe('function')
    },
  )

  it('has a row for every command file', async () => {
    const runs = new Set<unknown>()
    for (const { load } of leaves(commandTable))
      if (load) for (const each of Object.values(await load())) runs.add(each)
    const files = readdirSync('ops/cli/commands').filter((file) => file.endsWith('.ts'))
    expect(files.length).toBeGreaterThan(20)
    for (const file of files) {
      const exported = (await import(join(process.cwd(), 'ops/cli/commands', file))) as object
      const used = Object.values(exported).some((each) => runs.has(each))
      expect(used, file).toBe(true)
    }
  })

  it.each(actionIds)('has a command with the options that the action %s passes', (id) => {
    const argv = actionOf(id).argv(params)
    const command = commandFor(argv, buildProgram())
    expect(command?.name()).toBeDefined()
    const flags = argv.filter((each) => each.startsWith('--')).map((each) => each.split('=')[0])
    const known = command?.options.map(({ long }) => long) ?? []
    expect(known).toEqual(expect.arrayContaining(flags))
  })
})
