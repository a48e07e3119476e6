// Diffs that are the same on every machine, whatever the configuration of the repository says.
import { readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { ReviewedFile } from '#shared/verdict'
import { sha256Of } from '#ops/base/sha256'
import { temporaryFolder } from '#ops/base/process/run-as'
import { gitText, type GitOptions } from './run-git.ts'
import { objectStore } from './work-tree.ts'

/** A git that sees the repository's objects and nothing else of it. */
export interface NeutralGit {
  /** Writes the whole diff to `file`. @returns its SHA-256 over the bytes, and its size in bytes */
  diffTo(file: string, base: string, head: string): Promise<{ sha256: string; bytes: number }>
  diffDigest(base: string, head: string): Promise<string>
  /** The whole diff. */
  diff(base: string, head: string): Promise<Buffer>
  changedFiles(base: string, head: string): Promise<ReviewedFile[]>
  /** Mode and object of each changed file before and after, in the order of the diff. */
  changedEntries(base: string, head: string): Promise<ChangedEntry[]>
  /** Every path of a commit's tree. */
  paths(commit: string): Promise<string[]>
  /** Every symbolic link of a commit's tree, with the blob that holds its target. */
  links(commit: string): Promise<{ readonly path: string; readonly object: string }[]>
  /** Bytes of each object. */
  sizes(ids: readonly string[]): Promise<Map<string, number>>
}

/** One changed file as the two trees hold it. Mode `000000` and a null object: not there. */
export interface ChangedEntry {
  readonly path: string
  readonly before: { readonly mode: string; readonly object: string | null }
  readonly after: { readonly mode: string; readonly object: string | null }
}

/** One diff of two commits, the same everywhere: no renames, no external program, binary content included. */
const diffOptions = [
  '--no-ext-diff',
  '--no-textconv',
  '--no-color',
  '--no-renames',
  '--no-indent-heuristic',
  '--diff-algorithm=myers',
  '--full-index',
  '--binary',
  '--unified=3',
  '--inter-hunk-context=0',
  '--src-prefix=a/',
  '--dst-prefix=b/',
  '--submodule=short',
  '--ignore-submodules=none',
  '-O/dev/null',
]
const statuses: Readonly<Record<string, ReviewedFile['status']>> = {
  A: 'added',
  M: 'modified',
  D: 'deleted',
  T: 'type_changed',
}

/**
 * Gives `work` a git whose diffs depend on the two trees alone. The repository's configuration and its .gitattributes
 * are not read: either could show a source file as binary, or run any program. The same commits give
 * the same digest on the laptop and on the host.
 */
export async function withNeutralGit<T>(
  repo: string,
  work: (neutral: NeutralGit) => Promise<T>,
  options: GitOptions = {},
): Promise<T> {
  const { format, folder: common } = await objectStore(repo, options)
  const folder = temporaryFolder('diff', options.as)
  const bare = join(folder, 'bare.git')
  const isolated: GitOptions = { ...options, userConfig: false, timeLimitSeconds: 300 }
  const init = ['init', '--quiet', '--bare', '--template=', `--object-format=${format}`]
  try {
    await gitText(folder, [...init, '--end-of-options', bare], isolated)
    const env = {
      ...options.env,
      GIT_DIR: bare,
      GIT_OBJECT_DIRECTORY: join(common, 'objects'),
    }
    return await work(
      new BareGit({ folder, bare, inside: { ...isolated, keepBytes: 64 * 1024 * 1024, env } }),
    )
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}

/** An empty repository that borrows the objects of another one. */
class BareGit implements NeutralGit {
  readonly #folder: string
  readonly #bare: string
  readonly #inside: GitOptions

  constructor({ folder, bare, inside }: { folder: string; bare: string; inside: GitOptions }) {
    this.#folder = folder
    this.#bare = bare
    this.#inside = inside
  }

  async diffTo(
    file: string,
    base: string,
    head: string,
  ): Promise<{ sha256: string; bytes: number }> {
    await this.#git(['diff', ...diffOptions, `--output=${file}`, '--end-of-options', base, head])
    return {
      sha256: sha256Of(readFileSync(file)),
      bytes: statSync(file).size,
    }
  }

  async diffDigest(base: string, head: string): Promise<string> {
    return (await this.diffTo(this.#patch, base, head)).sha256
  }

  async diff(base: string, head: string): Promise<Buffer> {
    await this.diffTo(this.#patch, base, head)
    return readFileSync(this.#patch)
  }

  async changedFiles(base: string, head: string): Promise<ReviewedFile[]> {
    const listed = await this.#list(['--raw', '--numstat'], [base, head])
    return joinFiles(splitListing(listed))
  }

  async changedEntries(base: string, head: string): Promise<ChangedEntry[]> {
    return parseEntries(splitListing(await this.#list(['--raw'], [base, head])).raw)
  }

  async paths(commit: string): Promise<string[]> {
    return (await this.#tree(['--name-only'], commit)).filter((path) => path !== '')
  }

  async links(commit: string): Promise<{ path: string; object: string }[]> {
    return (await this.#tree([], commit)).flatMap((line) => {
      const [, object, path] = /^120000 blob ([0-9a-f]+)\t(.*)$/s.exec(line) ?? []
      return object === undefined || path === undefined ? [] : [{ path, object }]
    })
  }

  async sizes(ids: readonly string[]): Promise<Map<string, number>> {
    if (ids.length === 0) return new Map()
    const listed = await this.#git(['cat-file', '--batch-check=%(objectname) %(objectsize)'], {
      input: `${ids.join('\n')}\n`,
    })
    const rows = listed.split('\n').map((row) => row.split(' '))
    return new Map(rows.map(([id = '', size = '']) => [id, Number(size)]))
  }

  get #patch(): string {
    return join(this.#folder, 'diff.patch')
  }

  #git(args: readonly string[], more: GitOptions = {}): Promise<string> {
    return gitText(this.#bare, args, { ...this.#inside, ...more })
  }

  #list(kinds: readonly string[], [base, head]: readonly [string, string]): Promise<string> {
    const options = diffOptions.filter((option) => option !== '--binary')
    return this.#git(['diff', ...options, ...kinds, '-z', '--end-of-options', base, head])
  }

  /** Entries of a commit's whole tree. */
  async #tree(options: readonly string[], commit: string): Promise<string[]> {
    const args = ['ls-tree', '-r', '-z', ...options, '--full-tree', '--end-of-options', commit]
    return (await this.#git(args)).split('\0')
  }
}

/** One changed file of `git diff --raw`. */
interface RawRow {
  readonly before: string
  readonly after: string
  readonly from: string
  readonly to: string
  readonly status: string
  readonly path: string
}

/** Divides the NUL-separated output of `--raw` and `--numstat`: two fields a file, then one field a file. */
function splitListing(listed: string): { raw: RawRow[]; numstat: string[] } {
  const fields = listed.split('\0').filter((field) => field !== '')
  const raw: RawRow[] = []
  let at = 0
  for (; fields[at]?.startsWith(':'); at += 2) {
    const [before = '', after = '', from = '', to = '', status = ''] = (fields[at] ?? '')
      .slice(1)
      .split(' ')
    raw.push({ before, after, from, to, status, path: fields[at + 1] ?? '' })
  }
  return { raw, numstat: fields.slice(at) }
}

function parseEntries(rows: readonly RawRow[]): ChangedEntry[] {
  const object = (id: string): string | null => (/^0+$/.test(id) ? null : id)
  return rows.map(({ path, before, after, from, to }) => ({
    path,
    before: { mode: before, object: object(from) },
    after: { mode: after, object: object(to) },
  }))
}

function joinFiles({ raw, numstat }: ReturnType<typeof splitListing>): ReviewedFile[] {
  const counts = new Map(
    numstat.map((row) => {
      const [additions = '', deletions = '', ...path] = row.split('\t')
      return [path.join('\t'), { additions, deletions }]
    }),
  )
  return raw.map(({ status: letter, path }) => {
    const status = statuses[letter]
    const count = counts.get(path)
    if (status === undefined || count === undefined)
      throw new Error(
        `git diff reported ${JSON.stringify(letter)} for ${JSON.stringify(path)}, which HQ does not know`,
      )
    const binary = count.additions === '-'
    return {
      path,
      status,
      binary,
      additions: binary ? 0 : Number(count.additions),
      deletions: binary ? 0 : Number(count.deletions),
    }
  })
}
