import { describe, expect, it } from 'vitest'
import { signVerdict } from '#ops/core/trust/sign-verdict'
import { toTrustedKey } from '#ops/core/trust/signing-key'
import type { ErrorClass } from '#shared/errors'
import { reviewRef } from '#shared/verdict'
import { expectStop } from '../support/stopped.ts'
import { verdictFor } from '../support/verdict.ts'
import { gateHost, goesRound, laptop, retired, stranger } from '../support/gate-host.ts'

const gate = gateHost()
const { git, commit, push, pushed, putVerdict, configFile, byPush } = gate

interface Way {
  readonly way: string
  readonly errorClass: ErrorClass
  /** Goes that way. @returns the commit that the refusal has to name */
  readonly go: () => string | Promise<string>
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
      gate.at.git(
        gate.clone,
        '-c',
        'core.hooksPath=/nonexistent',
        'push',
        '--quiet',
        gate.at.origin,
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
      putVerdict(top, signVerdict(await verdictFor(gate.clone, hidden, top), laptop))
      return hidden
    },
  },
  {
    way: 'an unreviewed commit laundered by a merge, whose review starts from it',
    errorClass: 'unreviewed_commit',
    go: async () => {
      const hidden = commit()
      git('reset', '--quiet', '--hard', gate.good)
      commit({ 'docs/other.md': 'other\n' })
      git('merge', '--quiet', '--no-edit', '--no-ff', '--strategy=ours', hidden)
      const top = git('rev-parse', 'HEAD')
      pushed(goesRound)
      putVerdict(top, signVerdict(await verdictFor(gate.clone, hidden, top), laptop))
      return hidden
    },
  },
  {
    way: 'a review from a commit beside it, which has the same files',
    errorClass: 'verdict_mismatch',
    go: async () => {
      const sha = commit()
      const beside = git('commit-tree', '-p', gate.good, '-m', 'Beside', `${sha}^{tree}`)
      pushed(goesRound)
      gate.at.git(
        gate.clone,
        '-c',
        'core.hooksPath=/nonexistent',
        'push',
        '--quiet',
        'origin',
        `${beside}:refs/heads/beside`,
      )
      putVerdict(beside, signVerdict(await verdictFor(gate.clone, gate.good, beside), laptop))
      putVerdict(sha, signVerdict(await verdictFor(gate.clone, beside, sha), laptop))
      return sha
    },
  },
  {
    way: 'a commit amended after its review',
    errorClass: 'unreviewed_commit',
    go: async () => {
      const reviewed = commit()
      putVerdict(reviewed, signVerdict(await verdictFor(gate.clone, gate.good, reviewed), laptop))
      const amended = commit({}, '--amend')
      pushed(goesRound)
      return amended
    },
  },
  {
    way: 'the verdict of the reviewed commit, moved to the amended one',
    errorClass: 'verdict_mismatch',
    go: async () => {
      const verdict = signVerdict(await verdictFor(gate.clone, gate.good, commit()), laptop)
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
      git('reset', '--quiet', '--hard', gate.first)
      const sha = commit()
      pushed(goesRound)
      putVerdict(sha, signVerdict(await verdictFor(gate.clone, gate.first, sha), laptop))
      return sha
    },
  },
  {
    way: 'main moved back to a commit that was once fine',
    errorClass: 'main_rewound',
    go: () => {
      git('reset', '--quiet', '--hard', gate.first)
      pushed(goesRound)
      return gate.first
    },
  },
  {
    way: 'a replace ref that shows an approved commit in place of the unreviewed one',
    errorClass: 'unreviewed_commit',
    go: () => {
      const sha = commit()
      pushed(goesRound)
      for (const repo of [gate.clone, gate.at.origin])
        gate.at.git(repo, 'update-ref', `refs/replace/${sha}`, gate.good)
      gate.at.git(gate.at.host.paths.root, 'update-ref', `refs/replace/${sha}`, gate.good)
      return sha
    },
  },
  {
    way: 'a review ref replaced by the verdict of another commit',
    errorClass: 'verdict_mismatch',
    go: () => {
      const sha = commit()
      pushed(goesRound)
      gate.at.git(gate.at.origin, 'update-ref', reviewRef(sha), reviewRef(gate.good))
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
        JSON.stringify(signVerdict(await verdictFor(gate.clone, gate.good, sha), laptop)),
        `${sha}^{tree}`,
      )
      gate.at.git(
        gate.clone,
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
        ...signVerdict(await verdictFor(gate.clone, gate.first, gate.good), laptop),
        ...(await verdictFor(gate.clone, gate.good, sha)),
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
            ...(await verdictFor(gate.clone, gate.good, sha)),
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
      putVerdict(sha, signVerdict(await verdictFor(gate.clone, gate.good, sha), retired))
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
          baseline: gate.good,
          review_providers: [own],
          keys: [toTrustedKey(stranger)],
        }),
        'etc/trust.json': '{}',
        'openclaw.config.json': gate.at
          .git(gate.clone, 'show', `${gate.good}:openclaw.config.json`)
          .replace('"schema_version"', '"review": {},\n  "schema_version"'),
      })
      pushed(goesRound)
      const verdict = await verdictFor(gate.clone, gate.good, sha)
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
    expect(gate.at.git(gate.at.origin, 'rev-parse', 'main')).toBe(gate.good)
  })

  it.each(ways)('$way: the host deploys nothing ($errorClass)', async ({ errorClass, go }) => {
    const named = await go()
    expect(gate.at.git(gate.at.origin, 'rev-parse', 'main')).not.toBe(gate.good)
    const deploy = await gate.at.deploy()
    expectStop(gate.at, deploy, errorClass, 'git_sync')
    expect(deploy.triage?.first_error?.text).toContain(named)
    expect(gate.at.git(gate.at.host.paths.root, 'rev-parse', 'HEAD')).toBe(gate.good)
    expect(await gate.at.message()).toEqual({ message: 'two', commit: gate.good })
  })

  it('a new history is followed once the owner of the host has set its baseline', async () => {
    git('reset', '--quiet', '--hard', gate.first)
    const baseline = commit()
    pushed(goesRound)
    gate.at.trust({ baseline })
    const { result } = await gate.at.deploy()
    expect(result, JSON.stringify(result.steps)).toMatchObject({
      overall: 'PASS',
      target_sha: baseline,
    })
  })
})
