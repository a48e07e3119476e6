import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { shipBlockedBy, shipPreconditions } from '#ops/features/ship/index'
import type { ErrorClass } from '#shared/errors'
import { shipFixture } from '../../../../support/ship-fixture.ts'
import { runPreflight } from '../../../../support/ship-preflight.ts'
import type { ShipRepo } from '../../../../support/ship-repo.ts'

const fixture = shipFixture({
  prepare: ({ sample }) => {
    sample.commit('Second', { 'app.mjs': 'export const add = (a, b) => b + a\n' })
  },
})

interface State {
  readonly precondition: string
  readonly errorClass: ErrorClass
  readonly what: string
  /** Brings the repository into a state that the condition refuses. @returns variables of the ship */
  readonly spoil: (sample: ShipRepo) => Record<string, string> | void
}

const fetched = (sample: ShipRepo): void => {
  sample.git('fetch', '--quiet', 'origin')
}

const states: readonly State[] = [
  {
    precondition: 'not_a_production_host',
    errorClass: 'host_guard_production',
    what: 'a production host',
    spoil: () => ({ OPENCLAW_PRODUCTION: '1' }),
  },
  {
    precondition: 'codex_skip_unset',
    errorClass: 'codex_skip_set',
    what: 'CODEX_SKIP',
    spoil: () => ({ CODEX_SKIP: '' }),
  },
  {
    precondition: 'reviewer_outside_repository',
    errorClass: 'program_in_repository',
    what: 'a Codex program inside the repository',
    spoil: (sample) => {
      const codex = join(sample.repo, '.git', 'codex')
      writeFileSync(codex, '#!/bin/sh\n', { mode: 0o755 })
      sample.settings({ codex })
    },
  },
  {
    precondition: 'hooks_on',
    errorClass: 'hook_bypass',
    what: 'redirected hooks',
    spoil: (sample) => {
      sample.git('config', 'core.hooksPath', '/dev/null')
    },
  },
  {
    precondition: 'no_unfinished_operation',
    errorClass: 'unfinished_git_operation',
    what: 'an unfinished merge',
    spoil: (sample) =>
      writeFileSync(
        join(sample.repo, '.git', 'MERGE_HEAD'),
        `${sample.git('rev-parse', 'HEAD~1')}\n`,
      ),
  },
  {
    precondition: 'no_replaced_objects',
    errorClass: 'replace_refs',
    what: 'a replace ref',
    spoil: (sample) => {
      sample.git('replace', 'HEAD', 'HEAD~1')
    },
  },
  {
    precondition: 'no_hidden_changes',
    errorClass: 'hidden_changes',
    what: 'a file marked skip-worktree',
    spoil: (sample) => {
      sample.git('update-index', '--skip-worktree', 'app.mjs')
    },
  },
  {
    precondition: 'clean_tree',
    errorClass: 'dirty_tree',
    what: 'a file that is not committed',
    spoil: (sample) => sample.write('folder/notes.txt', 'x'),
  },
  {
    precondition: 'proof_folder_free',
    errorClass: 'artifacts_tracked',
    what: 'a tracked proof folder',
    spoil: (sample) => {
      sample.commit('Proof', { 'artifacts/ship/note.txt': 'x' })
    },
  },
  {
    precondition: 'configuration_and_branch',
    errorClass: 'config_invalid',
    what: 'a broken configuration',
    spoil: (sample) => {
      sample.commit('Broken', { 'openclaw.config.json': '{"schema_version": 1}' })
    },
  },
  {
    precondition: 'configuration_and_branch',
    errorClass: 'config_missing',
    what: 'a missing configuration (B11)',
    spoil: (sample) => {
      sample.git('rm', '--quiet', 'openclaw.config.json')
      sample.commit('None')
    },
  },
  {
    precondition: 'configuration_and_branch',
    errorClass: 'config_invalid',
    what: 'a configuration of 9.5 MB (B11)',
    spoil: (sample) => {
      sample.commit('Large', { 'openclaw.config.json': `"${'x'.repeat(9_500_000)}"` })
    },
  },
  {
    precondition: 'configuration_and_branch',
    errorClass: 'wrong_branch',
    what: 'another branch',
    spoil: (sample) => {
      sample.git('checkout', '--quiet', '-b', 'side')
    },
  },
  {
    precondition: 'origin_configured',
    errorClass: 'remote_unreachable',
    what: 'a missing origin',
    spoil: (sample) => {
      sample.git('remote', 'remove', 'origin')
    },
  },
  {
    precondition: 'one_address_of_origin',
    errorClass: 'push_address_differs',
    what: 'a push address that leads elsewhere',
    spoil: (sample) => {
      sample.git('config', 'remote.origin.pushurl', '/elsewhere')
    },
  },
  {
    precondition: 'not_behind_origin',
    errorClass: 'behind_remote',
    what: 'a branch behind origin',
    spoil: (sample) => {
      sample.git('push', '--quiet', 'origin', 'main')
      sample.git('reset', '--quiet', '--hard', 'HEAD~1')
      fetched(sample)
    },
  },
  {
    precondition: 'not_behind_origin',
    errorClass: 'diverged_from_remote',
    what: 'a branch that diverged from origin',
    spoil: (sample) => {
      sample.git('push', '--quiet', 'origin', 'main')
      sample.git('reset', '--quiet', '--hard', 'HEAD~1')
      sample.commit('Ours')
      fetched(sample)
    },
  },
  {
    precondition: 'something_to_ship',
    errorClass: 'nothing_to_ship',
    what: 'a commit that is on origin',
    spoil: (sample) => {
      sample.git('reset', '--quiet', '--hard', 'HEAD~1')
      fetched(sample)
    },
  },
  {
    precondition: 'one_next_action',
    errorClass: 'next_action_invalid',
    what: 'two next actions',
    spoil: (sample) => {
      sample.commit('Two', { 'docs/OPENCLAW_NEXT.md': '# Next action\n\n- One.\n- Two.\n' })
    },
  },
  {
    precondition: 'one_next_action',
    errorClass: 'next_action_invalid',
    what: 'a next action of 9.5 MB (B11)',
    spoil: (sample) => {
      sample.commit('Large', { 'docs/OPENCLAW_NEXT.md': 'x'.repeat(9_500_000) })
    },
  },
  {
    precondition: 'one_next_action',
    errorClass: 'next_action_invalid',
    what: 'a missing next action',
    spoil: (sample) => {
      sample.git('rm', '--quiet', 'docs/OPENCLAW_NEXT.md')
      sample.commit('None')
    },
  },
]

const blockedBy = ({ repo, home }: ShipRepo, env: Record<string, string> = {}) =>
  shipBlockedBy({ repo, home, env, hostName: 'laptop' }, {})

describe('the preconditions of a ship', () => {
  it.each(states)('refuse $what in HQ and in preflight alike', async ({ errorClass, spoil }) => {
    const { sample } = fixture
    const env = spoil(sample) ?? {}
    const unmet = await blockedBy(sample, env)
    const { problem } = await runPreflight(sample, env)
    expect([unmet?.errorClass, problem?.errorClass]).toEqual([errorClass, errorClass])
    expect(problem?.message.startsWith(unmet?.sentence ?? 'no sentence')).toBe(true)
    expect(unmet?.sentence).not.toContain('Nothing was')
  })

  it('accept a commit on top of origin, in HQ and in preflight', async () => {
    const { sample } = fixture
    expect(await blockedBy(sample)).toBeNull()
    const { facts, problem } = await runPreflight(sample)
    expect(problem).toBeNull()
    expect(facts.frozen?.head).toBe(sample.git('rev-parse', 'HEAD'))
  })

  it('B1 accept the branch main beside a tag and a branch whose names git shortens alike', async () => {
    const { sample } = fixture
    sample.git('tag', 'main', 'HEAD~1')
    for (const ref of ['refs/tags/origin/main', 'refs/heads/origin/main'])
      sample.git('update-ref', ref, 'HEAD')
    expect(await blockedBy(sample)).toBeNull()
    const { facts, problem } = await runPreflight(sample)
    expect(problem).toBeNull()
    expect(facts.frozen).toMatchObject({
      head: sample.git('rev-parse', 'HEAD'),
      remoteHead: sample.git('rev-parse', 'HEAD~1'),
    })
  })

  it('accept a branch of which origin was never fetched: preflight fetches it', async () => {
    const { sample } = fixture
    sample.git('update-ref', '-d', 'refs/remotes/origin/main')
    expect(await blockedBy(sample)).toBeNull()
    expect((await runPreflight(sample)).problem).toBeNull()
  })

  it('leave an unreviewed commit that origin has already to preflight, which fetches verdicts', async () => {
    const { sample } = fixture
    expect((await runPreflight(sample)).problem).toBeNull()
    sample.git('push', '--quiet', 'origin', 'main')
    expect((await blockedBy(sample))?.errorClass).toBe('nothing_to_ship')
    expect((await runPreflight(sample)).problem).toBeNull()
  })

  it('refuse a repository without a commit', async () => {
    const { sample } = fixture
    rmSync(join(sample.repo, '.git', 'refs', 'heads', 'main'))
    const unmet = await blockedBy(sample)
    const { problem } = await runPreflight(sample)
    expect([unmet?.errorClass, problem?.errorClass]).toEqual(['nothing_to_ship', 'nothing_to_ship'])
    expect(problem?.message).toBe(`${unmet?.sentence} Nothing was changed.`)
  })

  it('have a refused state above for each name and class in the list', () => {
    const listed = shipPreconditions.flatMap(({ name, errorClasses }) =>
      errorClasses.map((each) => `${name} ${each}`),
    )
    const tried = new Set(states.map((each) => `${each.precondition} ${each.errorClass}`))
    expect([...tried].toSorted()).toEqual(listed.toSorted())
  })

  it('L5 accept hooks of a manager inside the repository, and no folder that is missing or outside', async () => {
    const { sample } = fixture
    sample.commit('Ignores', { '.gitignore': 'report.xml\n.husky/\n.lefthook/\n' })
    mkdirSync(join(sample.repo, 'web', '.husky', '_'), { recursive: true })
    mkdirSync(join(sample.repo, '.husky'))
    symlinkSync(sample.temp, join(sample.repo, '.lefthook'))
    const defaults = join(sample.repo, '.git', 'hooks')
    const folders = ['.husky', './web/.husky/_/', defaults, '.husky/_', '.lefthook', '/x/.husky']
    const allowed: string[] = []
    for (const folder of folders) {
      sample.git('config', 'core.hooksPath', folder)
      const unmet = await shipBlockedBy({ ...sample, env: {}, hostName: 'laptop' }, {})
      if (unmet?.errorClass !== 'hook_bypass') allowed.push(folder)
    }
    expect(allowed).toEqual(['.husky', './web/.husky/_/', defaults])
  })
})
