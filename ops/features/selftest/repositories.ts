import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { z } from 'zod'
import type { operatorSettings, projectConfig } from '#shared/config'
import { newRunId } from '#shared/ids'
import type { VerdictDocument } from '#shared/signature'
import { statementRef } from '#shared/statement'
import { reviewRef, type Verdict } from '#shared/verdict'
import { messageOf } from '#shared/system-error'
import { gitText, type GitOptions } from '#ops/platform/git/run-git'
import { withNeutralGit } from '#ops/platform/git/neutral-diff'
import { writeJson } from '#ops/base/files/json-file'
import { reviewStatement } from '#ops/core/trust/commit-statements'
import { signStatement } from '#ops/core/trust/envelope'
import { signVerdict } from '#ops/core/trust/sign-verdict'
import { newKeyPem, signingKeyFromPem, type SigningKey } from '#ops/core/trust/signing-key'
import { nextActionFile } from '#ops/core/config/next-action'
import { proofKey } from '#ops/core/proof/proof-key'
import { laptopProofPaths } from '#ops/base/paths/proof-paths'
import { operatorSettingsPath, projectConfigName } from '#ops/core/config/settings-files'
import type { Workspace } from './workspace.ts'
import { CannotPrepare } from './violation.ts'

export const branch = 'main'
export const provider = { id: 'selftest', base_url: 'http://127.0.0.1:9/v1' } as const

interface Commit {
  readonly name: string
  readonly parent: string | null
  readonly files: Readonly<
    Record<string, string | { readonly mode: string; readonly content: string }>
  >
}

const config: z.input<typeof projectConfig> = {
  schema_version: 1,
  project: 'selftest',
  branch,
  tests: [{ name: 'unit', argv: ['true'], report: { format: 'junit', path: 'junit.xml' } }],
  services: [{ name: 'app', argv: ['true'], port: 3000, health: { path: '/' } }],
}
const first = {
  [projectConfigName]: JSON.stringify(config),
  [nextActionFile]: '# Next action\n\n- Violation the next violation.\n',
  'app.txt': 'one\n',
}

/** From the root to the branches; each is a branch of its name at the origin. */
const commits = [
  { name: 'root', parent: null, files: first },
  { name: 'baseline', parent: 'root', files: { 'app.txt': 'two\n' } },
  { name: branch, parent: 'baseline', files: { 'app.txt': 'three\n' } },
  { name: 'change', parent: branch, files: { 'app.txt': 'four\n' } },
  { name: 'unreviewed', parent: branch, files: { 'app.txt': 'unreviewed\n' } },
  {
    name: 'laundered',
    parent: 'unreviewed',
    files: { 'other.txt': 'reviewed, on top of what is not\n' },
  },
  { name: 'edited', parent: branch, files: { 'app.txt': 'edited\n' } },
  { name: 'foreign_key', parent: branch, files: { 'app.txt': 'foreign key\n' } },
  { name: 'unsigned', parent: branch, files: { 'app.txt': 'unsigned\n' } },
  { name: 'contradicted', parent: branch, files: { 'app.txt': 'contradicted\n' } },
  { name: 'other_repository', parent: branch, files: { 'app.txt': 'other repository\n' } },
  { name: 'other_provider', parent: branch, files: { 'app.txt': 'other provider\n' } },
  { name: 'other_history', parent: null, files: { ...first, 'app.txt': 'another history\n' } },
  {
    name: 'no_next_action',
    parent: branch,
    files: { [nextActionFile]: '# Next action\n\n- One.\n- Two.\n' },
  },
  {
    name: 'link',
    parent: branch,
    files: { shadow: { mode: '120000', content: '../../etc/shadow' } },
  },
  {
    name: 'submodule',
    parent: branch,
    files: { vendor: { mode: '160000', content: 'a'.repeat(40) } },
  },
  {
    name: 'turned_text',
    parent: branch,
    files: { 'app.ts': 'const admin = false /* \u202e } if (admin) \u2066 */\n' },
  },
  { name: 'git_folder', parent: branch, files: { 'sub/GIT~1/config': '[core]\n' } },
] as const satisfies readonly Commit[]
export type CommitName = (typeof commits)[number]['name']

/** The origin, the key and the settings of the laptop, and every commit. */
export interface Repositories {
  /** Bare. */
  readonly origin: string
  readonly id: (name: CommitName) => string
  /** Makes a clone at `branch` in a folder of the workspace. @returns its path */
  readonly clone: (...parts: string[]) => string
  /** Folder of the operator's settings; its ship key signed the good verdicts. */
  readonly home: string
  readonly key: SigningKey
  /** Sets the baseline of these clones in the settings. */
  readonly baselines: (clones: readonly string[]) => void
  readonly git: (repo: string, args: readonly string[], options?: GitOptions) => Promise<string>
}

/** The stream of fast-import(1): all commits in one process. */
function stream(): string {
  const data = (content: string): string => `data ${Buffer.byteLength(content)}\n${content}\n`
  return commits
    .map(({ name, parent, files }: Commit) =>
      [
        `commit refs/heads/${name}\ncommitter Self-test <selftest@localhost> 1767225600 +0000\n${data(name)}`,
        parent === null ? '' : `from refs/heads/${parent}\n`,
        ...Object.entries(files).map(([path, file]) => {
          const { mode, content } =
            typeof file === 'string' ? { mode: '100644', content: file } : file
          return mode === '160000'
            ? `M ${mode} ${content} ${path}\n`
            : `M ${mode} inline ${path}\n${data(content)}`
        }),
        '\n',
      ].join(''),
    )
    .join('')
}

const git: Repositories['git'] = (repo, args, options = {}) =>
  gitText(repo, args, { userConfig: false, ...options })

/** @throws {CannotPrepare} without git */
export async function makeRepositories(workspace: Workspace): Promise<Repositories> {
  const base = workspace.sub('git')
  try {
    await git(base, [
      'init',
      '--quiet',
      '--bare',
      '--template=',
      `--initial-branch=${branch}`,
      'origin.git',
    ])
  } catch (error) {
    throw new CannotPrepare(`git cannot make a repository (${messageOf(error)})`)
  }
  const origin = join(base, 'origin.git')
  // One pack: a copy of it is faster than a copy of a file for each object.
  await git(origin, ['fast-import', '--quiet', '--date-format=raw'], {
    input: stream(),
    config: { 'fastimport.unpackLimit': '1' },
  })
  const rows = (
    await git(origin, [
      'for-each-ref',
      '--format=%(refname:lstrip=2) %(objectname) %(tree)',
      'refs/heads/',
    ])
  )
    .split('\n')
    .map((row) => row.split(' '))
  const ids = new Map(rows.map(([name = '', commit = '', tree = '']) => [name, { commit, tree }]))
  const of = (name: CommitName): { commit: string; tree: string } => {
    const found = ids.get(name)
    if (found === undefined) throw new Error(`the commit ${name} is missing`)
    return found
  }
  const home = workspace.sub('laptop')
  const key = await proofKey(laptopProofPaths(home, origin))
  await writeVerdicts({ workspace, origin, of, key })
  const baselines = (clones: readonly string[]): void =>
    writeJson(
      operatorSettingsPath(home),
      {
        schema_version: 1,
        review: {
          provider: provider.id,
          providers: [{ ...provider, label: 'Self-test', env_key: null, scripted: false }],
        },
        baselines: Object.fromEntries(clones.map((clone) => [clone, of('baseline').commit])),
      } satisfies z.input<typeof operatorSettings>,
      { mode: 0o600 },
    )
  await git(base, [
    'clone',
    '--quiet',
    '--template=',
    '--no-tags',
    `--branch=${branch}`,
    origin,
    'clone',
  ])
  const clone = (...parts: string[]): string => {
    const folder = workspace.sub(...parts)
    cpSync(join(base, 'clone'), folder, { recursive: true, preserveTimestamps: true })
    return folder
  }
  return { origin, id: (name) => of(name).commit, clone, home, key, baselines, git }
}

/** Commits that have a verdict. */
const judged: ReadonlySet<string> = new Set<CommitName>([
  branch,
  'laundered',
  'edited',
  'foreign_key',
  'unsigned',
  'contradicted',
  'other_repository',
  'other_provider',
])

interface Signer {
  readonly workspace: Workspace
  readonly origin: string
  readonly of: (name: CommitName) => { commit: string; tree: string }
  readonly key: SigningKey
}

/**
 * Stores verdicts at the origin: good ones, and one for each way in which a verdict can be wrong. Beside one of them
 * lies a statement about another commit, by the same key.
 */
async function writeVerdicts(signer: Signer): Promise<void> {
  const { workspace, origin, of, key } = signer
  const verdicts = await makeVerdicts(signer)
  const about = verdicts[branch]
  if (about === undefined) throw new Error(`${branch} has no verdict`)
  const texts = new Map<string, string>()
  for (const name of Object.keys(verdicts) as CommitName[])
    texts.set(reviewRef(of(name).commit), JSON.stringify(verdicts[name]))
  texts.set(
    statementRef('review', of('contradicted').commit),
    signStatement(reviewStatement(about), key),
  )
  const folder = workspace.sub('git', 'verdicts')
  const files = [...texts.values()].map((text, at) => {
    const file = join(folder, String(at))
    writeFileSync(file, text)
    return file
  })
  const blobs = (
    await git(origin, ['hash-object', '-w', '--no-filters', '--stdin-paths'], {
      input: `${files.join('\n')}\n`,
    })
  ).split('\n')
  await git(origin, ['update-ref', '--stdin'], {
    input: [...texts.keys()].map((ref, at) => `create ${ref} ${blobs[at] ?? ''}\n`).join(''),
  })
}

async function makeVerdicts({
  origin,
  of,
  key,
}: Signer): Promise<Partial<Record<CommitName, VerdictDocument>>> {
  const theirs = signingKeyFromPem(newKeyPem(), 'a key that is not enrolled')
  const digests = await diffDigests(origin, of)
  const plain = (name: CommitName): Verdict => {
    const parent = commits.find((each) => each.name === name)?.parent ?? name
    return {
      ...approval(`verdict-${name}`),
      base_sha: of(parent).commit,
      head_sha: of(name).commit,
      tree_sha: of(name).tree,
      diff_sha256: digests.get(name) ?? '',
    }
  }
  const signed = (name: CommitName, change: Partial<Verdict> = {}): VerdictDocument =>
    signVerdict({ ...plain(name), ...change }, key)
  return {
    [branch]: signed(branch),
    laundered: signed('laundered'),
    edited: { ...signed('edited'), summary: 'Edited.' },
    foreign_key: signVerdict(plain('foreign_key'), theirs),
    unsigned: plain('unsigned'),
    contradicted: signed('contradicted'),
    // Good in another repository of the same laptop.
    other_repository: signed('other_repository', {
      repository: 'elsewhere',
      base_sha: 'a'.repeat(40),
      head_sha: 'b'.repeat(40),
      tree_sha: 'c'.repeat(40),
    }),
    other_provider: signed('other_provider', {
      reviewer: { ...plain('other_provider').reviewer, base_url: 'http://127.0.0.1:10/v1' },
    }),
  }
}

/** The digests of the commits that have a verdict. */
const diffDigests = (origin: string, of: Signer['of']): Promise<Map<CommitName, string>> =>
  withNeutralGit(
    origin,
    async (neutral) => {
      const found = new Map<CommitName, string>()
      // One after another, because they share a file.
      for (const { name, parent } of commits)
        if (parent !== null && judged.has(name))
          found.set(name, await neutral.diffDigest(of(parent).commit, of(name).commit))
      return found
    },
    { userConfig: false },
  )

type Bindings = 'base_sha' | 'head_sha' | 'tree_sha' | 'diff_sha256'

/** An approval as a review of the self-test would leave it, without what it is bound to. */
export const approval = (verdictId: string): Omit<Verdict, Bindings> => ({
  schema_version: 1,
  verdict_id: verdictId,
  run_id: newRunId(),
  verdict: 'APPROVED',
  repository: 'selftest',
  prompt_sha256: '0'.repeat(64),
  nonce: 'selftest',
  files: [],
  findings: [],
  summary: 'Planted.',
  gate_settings_changed: [],
  reviewer: {
    cli: 'codex',
    cli_version: '0',
    model: 'selftest',
    provider_id: provider.id,
    base_url: provider.base_url,
    scripted: false,
  },
  usage: null,
  created_at: new Date().toISOString(),
})
