import { existsSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { envValue, setVariables } from '../env.ts'

const entries = {
  hq: 'ops/main.ts',
  hostd: 'hostd/main.ts',
  serve: 'desktop/serve/main.ts',
  console: 'ops/console/main.ts',
  'scripted-review': 'ops/cli/demo/scripted-review-main.ts',
} as const

/**
 * Folder of the installed HQ (this package). Handed down by the launcher in `OPENCLAW_HQ_INSTALL`, because code that
 * is bundled into the desktop app cannot find files relative to itself.
 * @throws {Error} when the variable is missing, which means HQ was not started by its launcher
 */
export function installRoot(): string {
  const root = envValue('OPENCLAW_HQ_INSTALL')
  if (!root)
    throw new Error(
      'OPENCLAW_HQ_INSTALL is not set: start HQ by `npm start`, `npx hq` or the ops/*.sh entry points',
    )
  return root
}

/**
 * Stays with the release this process was started from, when it was started through the link `current` and the link is
 * switched under it. Called once, at the start of a long-lived program.
 */
export function stayWithRelease(): void {
  setVariables({ OPENCLAW_HQ_INSTALL: realpathSync(installRoot()) })
}

/** The Node of the package (24), also where the caller runs under another one, as Electron does. */
export function nodeProgram(root: string = installRoot()): string {
  const windows = process.platform === 'win32'
  const modules = join(root, 'node_modules')
  // A packaged app has the package of Node without the links to its programs.
  const own = [
    join(modules, '.bin', windows ? 'node.cmd' : 'node'),
    join(
      modules,
      `node-${windows ? 'win' : process.platform}-${process.arch}`,
      'bin',
      windows ? 'node.exe' : 'node',
    ),
  ]
  return own.find((path) => existsSync(path)) ?? process.execPath
}

/** Program and arguments that start one of HQ's own programs. */
export const programArgv = (
  program: keyof typeof entries,
  args: readonly string[] = [],
  root: string = installRoot(),
): [string, ...string[]] => [nodeProgram(root), join(root, entries[program]), ...args]
