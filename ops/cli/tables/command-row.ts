// What one row of the command table holds.

/** A positional argument. Its value reaches the command under its name in camel case. */
export interface ArgumentRow {
  /** `<name>`, `[name]` or `[name...]`, as Commander writes them. */
  readonly form: string
  readonly description: string
  readonly default?: string
}

export interface OptionRow {
  /** `--name` or `--name <value>`; `--no-name` turns a default off. */
  readonly flags: string
  readonly description: string
  readonly default?: string
  /** How help names the default where its value depends on the machine. */
  readonly defaultDescription?: string
  /** @throws {InvalidArgumentError} when the text is not allowed */
  readonly parse?: (text: string) => unknown
  /** Options, in camel case, that exclude this one. */
  readonly conflicts?: readonly string[]
  /** HQ passes it to itself. Help does not show it. */
  readonly internal?: boolean
}

/** What a command file exports. `run` does the work and returns the exit code. */
export interface CommandModule {
  run(options: never): Promise<number>
}

export interface CommandRow {
  readonly name: string
  readonly description: string
  readonly arguments?: readonly ArgumentRow[]
  readonly options?: readonly OptionRow[]
  /** Imports the command file, when the command is called and not before. Absent: the launcher starts the program. */
  readonly load?: () => Promise<CommandModule>
  readonly subcommands?: readonly CommandRow[]
  /** The subcommand that runs when none is named. */
  readonly isDefault?: boolean
}
