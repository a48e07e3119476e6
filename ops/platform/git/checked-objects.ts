import { createHash } from 'node:crypto'
import { Problem } from '#shared/errors'
import { gitBytes, type GitOptions } from './run-git.ts'

/** Is that what an object's name stands for? */
export const isNamed = (id: string, kind: 'commit' | 'tree' | 'blob', bytes: Buffer): boolean =>
  createHash(id.length === 40 ? 'sha1' : 'sha256')
    .update(`${kind} ${bytes.length}\0`)
    .update(bytes)
    .digest('hex') === id

/** @param what "The content of …" @throws {Problem} `git_sync_failed`, always */
export const refuseObject = (repo: string, sha: string, what: string): never => {
  throw new Problem(
    'git_sync_failed',
    `${what} of ${sha} does not match its hash: the objects of ${repo} were changed. The running version is untouched.`,
  )
}

/**
 * The tree of a commit. git does not hash what it reads from the clone, whose objects belong to an account with less
 * power than what is done with them has; here the commit is hashed again.
 * @throws {Problem} `git_sync_failed` when the commit is not what its name stands for
 */
export async function checkedTreeId(
  repo: string,
  sha: string,
  options: GitOptions,
): Promise<string> {
  const { bytes } = await gitBytes(repo, ['cat-file', 'commit', sha], options)
  const tree = /^tree ([0-9a-f]+)\n/.exec(bytes?.toString('latin1') ?? '')?.[1]
  return bytes === null || tree === undefined || !isNamed(sha, 'commit', bytes)
    ? refuseObject(repo, sha, 'The commit object')
    : tree
}

/**
 * A file in the top folder of a commit, hashed again on the way from the commit's name to its bytes.
 * @returns null when the commit has no such file
 * @throws {Problem} `git_sync_failed` when what the clone holds is not what the commit's name stands for
 */
export async function checkedFile(
  repo: string,
  { sha, name }: { readonly sha: string; readonly name: string },
  options: GitOptions,
): Promise<string | null> {
  const tree = await checkedTreeId(repo, sha, options)
  const { bytes: listed } = await gitBytes(repo, ['ls-tree', '-z', tree], options)
  const entries = (listed?.toString('latin1') ?? '')
    .split('\0')
    .filter((line) => line !== '')
    .map((line) => {
      const [, mode = '', kind = '', id = '', path = ''] =
        /^(\d+) (\w+) ([0-9a-f]+)\t(.*)$/s.exec(line) ?? []
      return { mode: mode.replace(/^0+/, ''), kind, id, path }
    })
  const raw = Buffer.concat(
    entries.map(({ mode, id, path }) =>
      Buffer.concat([Buffer.from(`${mode} ${path}\0`, 'latin1'), Buffer.from(id, 'hex')]),
    ),
  )
  if (listed === null || !isNamed(tree, 'tree', raw)) refuseObject(repo, sha, 'The top folder')
  const entry = entries.find(({ kind, path }) => kind === 'blob' && path === name)
  if (entry === undefined) return null
  const { bytes } = await gitBytes(repo, ['cat-file', 'blob', entry.id], options)
  return bytes === null || !isNamed(entry.id, 'blob', bytes)
    ? refuseObject(repo, sha, `The file ${name}`)
    : bytes.toString('utf8')
}
