// Where the Codex CLI is.
import { accessSync, constants, existsSync, readdirSync, realpathSync, statSync } from 'node:fs'
import { delimiter, dirname, isAbsolute, join } from 'node:path'
import { installRoot, nodeProgram } from '#ops/base/process/program'
import { searchPathOutside } from '#ops/platform/git/repository-folders'
import { noReview } from './no-review.ts'

export interface CodexProgram {
  /** How it is started. */
  readonly argv: readonly [string, ...string[]]
  /** The file that does the work. */
  readonly file: string
  /** Every file that has a part in what is started. */
  readonly parts: readonly string[]
  /** HQ's own, of the release that it was installed with. */
  readonly isOwn: boolean
}

/**
 * The Codex CLI: the operator's choice, else the one of HQ's own package. No folder of the repository is searched.
 *
 * @param chosen a path, or a name that is looked up in PATH
 * @throws {Problem} `review_unavailable` when there is none
 */
export function codexProgram(chosen: string | null, repo: string): CodexProgram {
  if (chosen === null) return ownProgram()
  const found = candidates(chosen, repo).find(isProgram)
  if (found === undefined)
    throw noReview(`the Codex program of the settings, ${chosen}, does not exist`)
  const file = realpathSync(found)
  const native = nativeProgram(dirname(dirname(file)))
  const parts = [found, file]
  if (native !== null)
    return { argv: [native], file: native, parts: [...parts, native], isOwn: false }
  // A script is started by the package's own Node, so that no Node has to be in PATH.
  const argv: CodexProgram['argv'] = /\.[cm]?js$/.test(file) ? [nodeProgram(), file] : [found]
  return { argv, file, parts, isOwn: false }
}

/** @throws {Problem} `review_unavailable` */
function ownProgram(): CodexProgram {
  const folder = packageFolder('@openai/codex', installRoot())
  const file = folder === null ? null : nativeProgram(folder)
  if (folder === null || file === null)
    throw noReview(
      'HQ was installed without its Codex CLI for this system (the package @openai/codex)',
    )
  return { argv: [file], file, parts: [join(folder, 'package.json'), file], isOwn: true }
}

/** The program in the package of this system, which belongs to the package of the CLI; null: there is none. */
function nativeProgram(folder: string): string | null {
  if (!existsSync(join(folder, 'package.json'))) return null
  const system = packageFolder(`@openai/codex-${process.platform}-${process.arch}`, folder)
  const name = process.platform === 'win32' ? 'codex.exe' : 'codex'
  const vendors = [system, folder].flatMap((each) => (each === null ? [] : [join(each, 'vendor')]))
  return (
    vendors
      .filter((vendor) => existsSync(vendor))
      .flatMap((vendor) => readdirSync(vendor).map((target) => join(vendor, target, 'bin', name)))
      .find(isProgram) ?? null
  )
}

/** As Node finds a package from a folder; the variables that add more folders do not count. */
function packageFolder(name: string, from: string): string | null {
  for (let folder = from; ; folder = dirname(folder)) {
    const found = join(folder, 'node_modules', name)
    if (existsSync(join(found, 'package.json'))) return realpathSync(found)
    if (folder === dirname(folder)) return null
  }
}

const candidates = (chosen: string, repo: string): string[] =>
  isAbsolute(chosen)
    ? [chosen]
    : searchPathOutside(repo)
        .split(delimiter)
        .map((folder) => join(folder, chosen))

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false // absent, or not executable by this user
  }
}
