// docs/reference/cli.md: the commands of hq, from the table that builds them.
import { buildProgram } from '#ops/cli/program'
import { code, page, table } from './markdown.mjs'

export function cliPage() {
  const program = buildProgram()
  const parts = program.commands.flatMap((command) => describe(command, 'hq'))
  return page('Command line', '`ops/cli/tables/`', [
    'In the repository: `npx hq …`. Exit codes: 0 PASS, 1 FAIL, 2 refused by a guard (nothing was ' +
      'changed), 64 wrong usage. `--json` prints the result document on standard output and nothing ' +
      'else. Options that HQ passes to itself are left out.',
    ...parts,
  ])
}

function describe(command, parent) {
  const name = `${parent} ${command.name()}`
  const options = command.options.filter(({ hidden }) => !hidden)
  const inputs = [
    ...command.registeredArguments.map((argument) => [
      code(argument.required ? `<${argument.name()}>` : `[${argument.name()}]`),
      argument.description,
      argument.defaultValue ?? '',
    ]),
    ...options.map((option) => [
      code(option.flags),
      option.description,
      option.negate ? '' : defaultOf(option),
    ]),
  ]
  return [
    `## ${name}`,
    sentence(command.description()),
    ...(inputs.length === 0 ? [] : [table(['argument or option', 'meaning', 'default'], inputs)]),
    ...command.commands.flatMap((each) => describe(each, name)),
  ]
}

/** A default that depends on the machine is named, not printed. */
function defaultOf({ defaultValue, defaultValueDescription }) {
  if (defaultValueDescription !== undefined) return defaultValueDescription
  if (defaultValue === undefined) return ''
  return defaultValue === process.cwd() ? 'the current folder' : code(defaultValue)
}

const sentence = (text) =>
  text === '' ? text : `${text[0].toUpperCase()}${text.slice(1)}${/[.?!]$/.test(text) ? '' : '.'}`
