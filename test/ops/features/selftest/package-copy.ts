import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A piece of a guard's code, and the code that disables it. */
export interface Neutralised {
  readonly file: string
  /** As one line. Where the formatter breaks lines does not matter. */
  readonly line: string
  readonly by: string
}

/** Matches the code however the formatter has broken its lines. */
function codePattern(line: string): RegExp {
  const escaped = line.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(
    escaped
      .replace(/\\[([{]/g, '$&\\s*')
      .replace(/\\[)\]}]/g, '\\s*$&')
      .replace(/ +/g, '\\s+')
      .replace(/(?:\\s[*+])+/g, (spaces) => (spaces.includes('+') ? '\\s+' : '\\s*')),
    'g',
  )
}

/** A copy of this package in which some guards are broken. @throws when a line is not there exactly once */
export function brokenPackage(folder: string, broken: readonly Neutralised[]): string {
  const root = process.cwd()
  for (const part of ['package.json', 'shared', 'ops', 'hostd'])
    cpSync(join(root, part), join(folder, part), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  for (const { file, line, by } of broken) {
    const path = join(folder, file)
    const source = readFileSync(path, 'utf8')
    const found = source.match(codePattern(line))?.length ?? 0
    if (found !== 1) throw new Error(`${file} has ${found} times ${JSON.stringify(line)}`)
    writeFileSync(
      path,
      source.replace(codePattern(line), () => by),
    )
  }
  return folder
}
