import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { signVerdict } from '#ops/core/trust/sign-verdict'
import { newKeyPem, signingKeyFromPem, toTrustedKey } from '#ops/core/trust/signing-key'
import { programArgv } from '#ops/base/process/program'
import { reviewRef } from '#shared/verdict'
import { deployHost, type DeployHost } from './host.ts'

export const goesRound = { after: ['--no-verify', '--force'] }

/** Keys of those who ship, or would like to. */
export const [laptop, retired, stranger] = [
  'the laptop',
  'a laptop that was given away',
  'a stranger',
].map((name) => signingKeyFromPem(newKeyPem(), name)) as [
  ReturnType<typeof signingKeyFromPem>,
  ReturnType<typeof signingKeyFromPem>,
  ReturnType<typeof signingKeyFromPem>,
]

/** A host with a deployed version, and a clone of it whose user wants a change there that no review approved. */
export function gateHost() {
  let at: DeployHost
  /** A clone with the pre-push hook. */
  let clone: string
  /** What is deployed, and what origin had before it. */
  let good: string
  let first: string

  const env = (more: Record<string, string> = {}): Record<string, string> => ({
    PATH: process.env['PATH'] ?? '',
    HOME: at.host.dir,
    OPENCLAW_HQ_INSTALL: at.host.env['OPENCLAW_HQ_INSTALL'] ?? '',
    OPENCLAW_HQ_HOME: join(at.host.dir, 'hq-home'),
    ...more,
  })
  const git = (...args: string[]): string => at.git(clone, ...args)
  /** A commit that changes what the app says. */
  function commit(files: Record<string, string> = {}, ...args: string[]): string {
    for (const [path, text] of Object.entries({
      'docs/unreviewed.md': `${Math.random()}\n`,
      ...files,
    })) {
      mkdirSync(join(clone, path, '..'), { recursive: true })
      writeFileSync(join(clone, path), text)
    }
    git('add', '--all')
    git('commit', '--quiet', '--message', 'Unreviewed', ...args)
    return git('rev-parse', 'HEAD')
  }
  const push = (
    options: { before?: string[]; after?: string[]; env?: Record<string, string> } = {},
  ): ReturnType<typeof spawnSync> =>
    spawnSync(
      'git',
      [
        ...(options.before ?? []),
        'push',
        ...(options.after ?? []),
        'origin',
        'HEAD:refs/heads/main',
      ],
      { cwd: clone, encoding: 'utf8', env: env(options.env) },
    )
  /** Puts a document in place of the verdict of a commit, straight into origin. */
  function putVerdict(sha: string, document: unknown): void {
    const blob = execFileSync('git', ['hash-object', '-w', '--stdin'], {
      cwd: at.origin,
      encoding: 'utf8',
      input: JSON.stringify(document),
      env: env(),
    }).trim()
    at.git(at.origin, 'update-ref', reviewRef(sha), blob)
  }
  const pushed = (options: Parameters<typeof push>[0]): void => {
    const { status, stderr } = push(options)
    expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' })
  }
  const configFile = (name: string): string => {
    const file = join(at.host.dir, name)
    writeFileSync(file, '[core]\n\thooksPath = /nonexistent\n')
    return file
  }

  beforeAll(async () => {
    at = await deployHost({ message: 'one' })
    at.trust({ keys: [laptop, retired].map(toTrustedKey) })
    first = at.git(at.origin, 'rev-parse', 'main')
    good = await at.ship({ message: 'two' }, { verdict: (verdict) => signVerdict(verdict, laptop) })
    const { result } = await at.deploy()
    expect(result.overall, JSON.stringify(result.steps)).toBe('PASS')
    at.trust({ keys: [toTrustedKey(laptop)] })
    clone = join(at.host.dir, 'clone')
    at.git(at.host.dir, 'clone', '--quiet', at.origin, clone)
    git('config', 'user.name', 'Test')
    git('config', 'user.email', 'test@localhost')
    const [program, ...args] = programArgv('hq', ['ship', '--init', '--repo', clone])
    execFileSync(program, args, { env: env(), stdio: 'pipe' })
  })
  afterAll(async () => {
    await at.remove()
  })
  /** Everything is as it was: origin, the clone, the host. */
  afterEach(() => {
    at.git(at.origin, 'update-ref', 'refs/heads/main', good)
    for (const ref of at.git(at.origin, 'for-each-ref', '--format=%(refname)').split('\n'))
      if (ref !== 'refs/heads/main' && ref !== reviewRef(good))
        at.git(at.origin, 'update-ref', '-d', ref)
    git('reset', '--quiet', '--hard', good)
  })
  const byPush =
    (options: () => Parameters<typeof push>[0], undo: () => void = () => undefined) =>
    (): string => {
      const sha = commit()
      try {
        pushed(options())
      } finally {
        undo()
      }
      return sha
    }
  return {
    get at() {
      return at
    },
    get clone() {
      return clone
    },
    get good() {
      return good
    },
    get first() {
      return first
    },
    git,
    commit,
    push,
    pushed,
    putVerdict,
    configFile,
    byPush,
  }
}
