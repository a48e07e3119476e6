import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { signVerdict } from '#ops/core/trust/sign-verdict'
import { newKeyPem, signingKeyFromPem, toTrustedKey } from '#ops/core/trust/signing-key'
import { programArgv } from '#ops/base/process/program'
import type { ErrorClass } from '#shared/errors'
import { reviewRef } from '#shared/verdict'
import { deployHost, type DeployHost } from '../support/host.ts'
import { expectStop } from '../support/stopped.ts'
import { verdictFor } from '../support/verdict.ts'

const [laptop, retired, stranger] = [
  'the laptop',
  'a laptop that was given away',
  'a stranger',
].map((name) => signingKeyFromPem(newKeyPem(), name)) as [
  ReturnType<typeof signingKeyFromPem>,
  ReturnType<typeof signingKeyFromPem>,
  ReturnType<typeof signingKeyFromPem>,
]

let at: DeployHost
/** A clone with the pre-push hook, whose user wants a change on the host that no review approved. */
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
    [...(options.before ?? []), 'push', ...(options.after ?? []), 'origin', 'HEAD:refs/heads/main'],
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
const goesRound = { after: ['--no-verify', '--force'] }
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

interface Way {
  readonly way: string
  readonly errorClass: ErrorClass
  /** Goes that way. @returns the commit that the refusal has to name */
  readonly go: () => string | Promise<string>
}
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

const ways: readonly Way[] = [
  {
    way: 'a push with --no-verify',
    errorClass: 'unreviewed_commit',
    go: byPush(() => ({ after: ['--no-verify'] })),
  },
  {
    way: 'hooksPath in the configuration of the clone',
    errorClass: 'unreviewed_commit',
    go: byPush(
      () => {
        git('config', 'core.hooksPath', '/nonexistent')
        return {}
      },
      () => git('config', 'core.hooksPath', '.githooks'),
    ),
  },
  {
    way: 'hooksPath in the configuration of the worktree',
    errorClass: 'unreviewed_commit',
    go: byPush(
      () => {
        git('config', 'extensions.worktreeConfig', 'true')
        git('config', '--worktree', 'core.hooksPath', '/nonexistent')
        return {}
      },
      () => git('config', '--worktree', '--unset', 'core.hooksPath'),
    ),
  },
  {
    way: 'hooksPath on the command line',
    errorClass: 'unreviewed_commit',
    go: byPush(() => ({ before: ['-c', 'core.hooksPath=/nonexistent'] })),
  },
  {
    way: 'hooksPath by GIT_CONFIG_COUNT',
    errorClass: 'unreviewed_commit',
    go: byPush(() => ({
      env: {
        GIT_CONFIG_COUNT: '1',
        GIT_CONFIG_KEY_0: 'core.hooksPath',
        GIT_CONFIG_VALUE_0: '/nonexistent',
      },
    })),
  },
  {
    way: 'hooksPath by GIT_CONFIG_PARAMETERS',
    errorClass: 'unreviewed_commit',
    go: byPush(() => ({ env: { GIT_CONFIG_PARAMETERS: "'core.hooksPath'='/nonexistent'" } })),
  },
  {
    way: 'hooksPath in the configuration of the user, the clone naming none',
    errorClass: 'unreviewed_commit',
    go: byPush(
      () => {
        git('config', '--unset', 'core.hooksPath')
        return { env: { GIT_CONFIG_GLOBAL: configFile('user-config') } }
      },
      () => git('config', 'core.hooksPath', '.githooks'),
    ),
  },
  {
    way: 'hooksPath in the configuration of the system, the clone naming none',
    errorClass: 'unreviewed_commit',
    go: byPush(
      () => {
        git('config', '--unset', 'core.hooksPath')
        return { env: { GIT_CONFIG_SYSTEM: configFile('system-config') } }
      },
      () => git('config', 'core.hooksPath', '.githooks'),
    ),
  },
  {
    way: 'hooksPath in a file that the clone includes',
    errorClass: 'unreviewed_commit',
    go: byPush(
      () => {
        git('config', 'include.path', configFile('included-config'))
        return {}
      },
      () => git('config', '--unset', 'include.path'),
    ),
  },
  {
    way: 'a local commit pushed from a clone that never had the hook',
    errorClass: 'unreviewed_commit',
    go: () => {
      const sha = commit()
      at.git(
        clone,
        '-c',
        'core.hooksPath=/nonexistent',
        'push',
        '--quiet',
        at.origin,
        'HEAD:refs/heads/main',
      )
      return sha
    },
  },
  {
    way: 'an unreviewed commit laundered by shipping on top of it',
    errorClass: 'unreviewed_commit',
    go: async () => {
      const hidden = commit()
      const top = commit()
      pushed(goesRound)
      putVerdict(top, signVerdict(await verdictFor(clone, hidden, top), laptop))
      return hidden
    },
  },
  {
    way: 'an unreviewed commit laundered by a merge, whose review starts from it',
    errorClass: 'unreviewed_commit',
    go: async () => {
      const hidden = commit()
      git('reset', '--quiet', '--hard', good)
      commit({ 'docs/other.md': 'other\n' })
      git('merge', '--quiet', '--no-edit', '--no-ff', '--strategy=ours', hidden)
      const top = git('rev-parse', 'HEAD')
      pushed(goesRound)
      putVerdict(top, signVerdict(await verdictFor(clone, hidden, top), laptop))
      return hidden
    },
  },
  {
    way: 'a review from a commit beside it, which has the same files',
    errorClass: 'verdict_mismatch',
    go: async () => {
      const sha = commit()
      const beside = git('commit-tree', '-p', good, '-m', 'Beside', `${sha}^{tree}`)
      pushed(goesRound)
      at.git(
        clone,
        '-c',
        'core.hooksPath=/nonexistent',
        'push',
        '--quiet',
        'origin',
        `${beside}:refs/heads/beside`,
      )
      putVerdict(beside, signVerdict(await verdictFor(clone, good, beside), laptop))
      putVerdict(sha, signVerdict(await verdictFor(clone, beside, sha), laptop))
      return sha
    },
  },
  {
    way: 'a commit amended after its review',
    errorClass: 'unreviewed_commit',
    go: async () => {
      const reviewed = commit()
      putVerdict(reviewed, signVerdict(await verdictFor(clone, good, reviewed), laptop))
      const amended = commit({}, '--amend')
      pushed(goesRound)
      return amended
    },
  },
  {
    way: 'the verdict of the reviewed commit, moved to the amended one',
    errorClass: 'verdict_mismatch',
    go: async () => {
      const verdict = signVerdict(await verdictFor(clone, good, commit()), laptop)
      const amended = commit({}, '--amend')
      pushed(goesRound)
      putVerdict(amended, verdict)
      return amended
    },
  },
  {
    way: 'a force push of another history, whose every commit was reviewed',
    errorClass: 'main_rewound',
    go: async () => {
      git('reset', '--quiet', '--hard', first)
      const sha = commit()
      pushed(goesRound)
      putVerdict(sha, signVerdict(await verdictFor(clone, first, sha), laptop))
      return sha
    },
  },
  {
    way: 'main moved back to a commit that was once fine',
    errorClass: 'main_rewound',
    go: () => {
      git('reset', '--quiet', '--hard', first)
      pushed(goesRound)
      return first
    },
  },
  {
    way: 'a replace ref that shows an approved commit in place of the unreviewed one',
    errorClass: 'unreviewed_commit',
    go: () => {
      const sha = commit()
      pushed(goesRound)
      for (const repo of [clone, at.origin]) at.git(repo, 'update-ref', `refs/replace/${sha}`, good)
      at.git(at.host.paths.root, 'update-ref', `refs/replace/${sha}`, good)
      return sha
    },
  },
  {
    way: 'a review ref replaced by the verdict of another commit',
    errorClass: 'verdict_mismatch',
    go: () => {
      const sha = commit()
      pushed(goesRound)
      at.git(at.origin, 'update-ref', reviewRef(sha), reviewRef(good))
      return sha
    },
  },
  {
    way: 'a commit, with the verdict for its message, in place of the verdict',
    errorClass: 'unreviewed_commit',
    go: async () => {
      const sha = commit()
      pushed(goesRound)
      const said = git(
        'commit-tree',
        '-m',
        JSON.stringify(signVerdict(await verdictFor(clone, good, sha), laptop)),
        `${sha}^{tree}`,
      )
      at.git(
        clone,
        '-c',
        'core.hooksPath=/nonexistent',
        'push',
        '--quiet',
        'origin',
        `${said}:${reviewRef(sha)}`,
      )
      return sha
    },
  },
  {
    way: 'an edited verdict',
    errorClass: 'verdict_signature_invalid',
    go: async () => {
      const sha = commit()
      pushed(goesRound)
      putVerdict(sha, {
        ...signVerdict(await verdictFor(clone, first, good), laptop),
        ...(await verdictFor(clone, good, sha)),
      })
      return sha
    },
  },
  {
    way: 'a verdict of another repository',
    errorClass: 'verdict_mismatch',
    go: async () => {
      const sha = commit()
      pushed(goesRound)
      putVerdict(
        sha,
        signVerdict(
          {
            ...(await verdictFor(clone, good, sha)),
            repository: 'elsewhere',
            head_sha: 'b'.repeat(40),
            tree_sha: 'c'.repeat(40),
          },
          laptop,
        ),
      )
      return sha
    },
  },
  {
    way: 'a verdict signed with a key that was enrolled once',
    errorClass: 'verdict_signature_invalid',
    go: async () => {
      const sha = commit()
      pushed(goesRound)
      putVerdict(sha, signVerdict(await verdictFor(clone, good, sha), retired))
      return sha
    },
  },
  {
    way: 'a repository that lowers its own gate, with a key and a provider of its own',
    errorClass: 'verdict_signature_invalid',
    go: async () => {
      const own = { id: 'own', base_url: 'http://127.0.0.1:1/v1' }
      const sha = commit({
        'trust.json': JSON.stringify({
          schema_version: 1,
          baseline: good,
          review_providers: [own],
          keys: [toTrustedKey(stranger)],
        }),
        'etc/trust.json': '{}',
        'openclaw.config.json': at
          .git(clone, 'show', `${good}:openclaw.config.json`)
          .replace('"schema_version"', '"review": {},\n  "schema_version"'),
      })
      pushed(goesRound)
      const verdict = await verdictFor(clone, good, sha)
      putVerdict(
        sha,
        signVerdict(
          {
            ...verdict,
            reviewer: { ...verdict.reviewer, provider_id: own.id, base_url: own.base_url },
          },
          stranger,
        ),
      )
      return sha
    },
  },
]

describe('round the gate', () => {
  it('a plain push is refused by the hook', () => {
    commit()
    const { status, stderr } = push()
    expect(status).not.toBe(0)
    expect(stderr).toContain('unreviewed_commit: ')
    expect(at.git(at.origin, 'rev-parse', 'main')).toBe(good)
  })

  it.each(ways)('$way: the host deploys nothing ($errorClass)', async ({ errorClass, go }) => {
    const named = await go()
    expect(at.git(at.origin, 'rev-parse', 'main')).not.toBe(good)
    const deploy = await at.deploy()
    expectStop(at, deploy, errorClass, 'git_sync')
    expect(deploy.triage?.first_error?.text).toContain(named)
    expect(at.git(at.host.paths.root, 'rev-parse', 'HEAD')).toBe(good)
    expect(await at.message()).toEqual({ message: 'two', commit: good })
  })

  it('a new history is followed once the owner of the host has set its baseline', async () => {
    git('reset', '--quiet', '--hard', first)
    const baseline = commit()
    pushed(goesRound)
    at.trust({ baseline })
    const { result } = await at.deploy()
    expect(result, JSON.stringify(result.steps)).toMatchObject({
      overall: 'PASS',
      target_sha: baseline,
    })
  })
})
