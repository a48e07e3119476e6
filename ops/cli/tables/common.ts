import type { OptionRow } from './command-row.ts'

/** Options that several commands share. */
export const json: OptionRow = {
  flags: '--json',
  description: 'print the result document, and nothing else, on standard output',
}

/** A timer starts the command: what it finds is in its document, not in its exit code. */
export const unattended: OptionRow = {
  flags: '--unattended',
  description: 'exit with 0 whatever the result is',
  internal: true,
}

export const repository: OptionRow = {
  flags: '--repo <dir>',
  description: 'the repository',
  default: process.cwd(),
  defaultDescription: 'the current folder',
}
