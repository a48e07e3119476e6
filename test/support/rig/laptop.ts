import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { TrustFile } from '#shared/config'
import { reviewRef } from '#shared/verdict'
import { signVerdict } from '#ops/core/trust/sign-verdict'
import { newKeyPem, signingKeyFromPem } from '#ops/core/trust/signing-key'
import { writeFiles } from '../docker.ts'
import { testProvider, verdictFor } from '../verdict.ts'
import { must } from './programs.ts'
import type { Rig } from './rig.ts'

export interface ShipOptions {
  /** False pushes the commit alone: no verdict covers it. */
  readonly reviewed?: boolean
}

/**
 * The operator's side of a rig: a repository that pushes to the rig's origin, and the ship key that signs its verdicts.
 */
export interface Laptop {
  readonly repo: string
  /** Bare repository that the host fetches from. */
  readonly origin: string
  /** What the host's trust file says: the first commit, and this reviewer. */
  readonly trust: TrustFile
  /** Public half of the key that signs its verdicts, as it is enrolled. */
  readonly shipKey: string
  /** Commits exactly these files, pushes them and the signed verdict of their review. @returns the commit */
  ship(files: Readonly<Record<string, string>>, options?: ShipOptions): Promise<string>
}

/** @param first files of the commit that the host trusts as its baseline */
export async function makeLaptop(
  rig: Rig,
  first: Readonly<Record<string, string>>,
  repository = 'project.git',
): Promise<Laptop> {
  const origin = await rig.origin.create(repository)
  const repo = join(rig.place.dir, `laptop-${repository}`)
  const env = {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    HOME: '/nonexistent',
    LANG: 'C.UTF-8',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
  }
  const git = async (...args: string[]): Promise<string> =>
    (
      await must(
        ['git', '-C', repo, '-c', 'user.name=Rig', '-c', 'user.email=rig@localhost', ...args],
        { env },
      )
    ).trim()
  mkdirSync(repo, { recursive: true })
  await git('init', '--quiet', '--initial-branch=main')
  await git('remote', 'add', 'origin', origin)
  const key = signingKeyFromPem(newKeyPem(), 'the ship key of the rig')

  const commit = async (files: Readonly<Record<string, string>>): Promise<string> => {
    for (const name of (await git('ls-files'))
      .split('\n')
      .filter((each) => each !== '' && existsSync(join(repo, each))))
      rmSync(join(repo, name))
    writeFiles(repo, files)
    await git('add', '--all')
    await git('commit', '--quiet', '--allow-empty', '--message=version')
    return await git('rev-parse', 'HEAD')
  }
  const baseline = await commit(first)
  await git('push', '--quiet', 'origin', 'HEAD:refs/heads/main')
  let proven = baseline
  return {
    repo,
    origin,
    trust: { schema_version: 1, baseline, review_providers: [testProvider], keys: [] },
    shipKey: key.publicKey,
    ship: async (files, { reviewed = true } = {}) => {
      const head = await commit(files)
      if (!reviewed) {
        await git('push', '--quiet', 'origin', 'HEAD:refs/heads/main')
        return head
      }
      const verdict = JSON.stringify(signVerdict(await verdictFor(repo, proven, head), key))
      const blob = (
        await must(['git', '-C', repo, 'hash-object', '-w', '--stdin'], { env, input: verdict })
      ).trim()
      await git(
        'push',
        '--quiet',
        '--atomic',
        'origin',
        'HEAD:refs/heads/main',
        `${blob}:${reviewRef(head)}`,
      )
      proven = head
      return head
    },
  }
}
