import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** What a machine gets of the package. Its dependencies are mounted beside it, as they are. */
const parts = [
  'package.json',
  'package-lock.json',
  'shared',
  'ops',
  'hostd',
  'desktop',
  'out/renderer',
  'out/programs',
]

/** A copy of this package that stays as it is while others work on the original, and that a test may change. */
export function copyPackage(to: string, from: string = process.cwd()): void {
  rmSync(to, { recursive: true, force: true })
  for (const part of parts.filter((each) => existsSync(join(from, each)))) {
    mkdirSync(dirname(join(to, part)), { recursive: true })
    cpSync(join(from, part), join(to, part), { recursive: true, preserveTimestamps: true })
  }
  mkdirSync(join(to, 'node_modules'))
}
