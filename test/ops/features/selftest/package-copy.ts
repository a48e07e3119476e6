import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** One line of a guard, and what it is made of so that it guards no more. */
export interface Neutralised {
  readonly file: string
  readonly line: string
  readonly by: string
}

/** A copy of this package in which some guards are broken. @throws when a line is not there exactly once */
export function brokenPackage(folder: string, broken: readonly Neutralised[]): string {
  const root = process.cwd()
  for (const part of ['package.json', 'shared', 'ops', 'hostd'])
    cpSync(join(root, part), join(folder, part), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  for (const { file, line, by } of broken) {
    const path = join(folder, file)
    const parts = readFileSync(path, 'utf8').split(line)
    if (parts.length !== 2)
      throw new Error(`${file} has ${parts.length - 1} times ${JSON.stringify(line)}`)
    writeFileSync(path, parts.join(by))
  }
  return folder
}
