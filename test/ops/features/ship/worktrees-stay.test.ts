import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { sweepWorktrees } from '#ops/platform/git/linked-worktree'
import { git } from '#ops/platform/git/run-git'
import { shipFixture } from '../../../support/ship-fixture.ts'

// Case L1: a ship once pruned the worktrees of the whole repository.

const at = shipFixture({
  prepare: ({ sample }) => sample.commit('Second', { 'second.txt': 'x\n' }),
})

/** A worktree of the operator with a staged file, whose disk is unplugged. @returns plugs it in: what is staged */
function unplugged(name: string): () => string {
  const folder = join(at.sample.home, name)
  at.sample.git('worktree', 'add', '--quiet', '-b', name, folder)
  writeFileSync(join(folder, 'staged.txt'), 'precious\n')
  at.sample.git('-C', folder, 'add', 'staged.txt')
  renameSync(folder, `${folder}.unplugged`)
  return () => {
    renameSync(`${folder}.unplugged`, folder)
    return at.sample.git('-C', folder, 'status', '--porcelain')
  }
}

describe('L1 a worktree of the operator on an unplugged disk', () => {
  it('keeps its record and its index through a ship', async () => {
    const [first, second] = [unplugged('work'), unplugged('openclaw-work')]
    const { result } = await at.sample.ship()
    expect(result.overall, JSON.stringify(result.steps)).toBe('PASS')
    expect([first(), second()]).toEqual(['A  staged.txt', 'A  staged.txt'])
    expect(at.sample.git('worktree', 'list', '--porcelain')).not.toContain('openclaw-worktree-')
  })

  it('keeps them when HQ sweeps what a killed ship left, in whatever state that is', async () => {
    const { repo, temp } = at.sample
    const plugIn = unplugged('work')
    const [whole, gone] = ['whole', 'gone'].map((name) =>
      join(temp, `openclaw-worktree-${name}`),
    ) as [string, string]
    for (const folder of [whole, gone])
      at.sample.git('worktree', 'add', '--quiet', '--detach', folder, 'HEAD')
    at.sample.git('worktree', 'lock', gone)
    rmSync(gone, { recursive: true })
    const half = join(repo, '.git', 'worktrees', 'openclaw-worktree-half')
    mkdirSync(half)
    writeFileSync(join(half, 'locked'), 'initializing\n')
    expect((await sweepWorktrees(repo)).toSorted()).toEqual([whole, gone, half].toSorted())
    expect([whole, half].filter((path) => existsSync(path))).toEqual([])
    expect(at.sample.git('worktree', 'list', '--porcelain')).not.toContain('openclaw-worktree-')
    expect(plugIn()).toBe('A  staged.txt')
  })

  it('keeps them when the operator has git tidy up after a merge of HQ', async () => {
    const { repo } = at.sample
    const plugIn = unplugged('work')
    // git estimates the number of loose objects from those in one of 256 folders.
    const files = Array.from({ length: 2000 }, (_, n) => join(at.sample.temp, `blob-${n}`))
    for (const file of files) writeFileSync(file, file)
    const input = `${files.join('\n')}\n`
    await git(repo, ['hash-object', '-w', '--stdin-paths'], { input })
    const start = at.sample.git('rev-parse', 'HEAD')
    const next = at.sample.commit('Third', { 'third.txt': 'x\n' })
    at.sample.git('reset', '--quiet', '--hard', start)
    for (const [name, value] of [
      ['gc.auto', '1'],
      ['gc.autoDetach', 'false'],
      ['gc.worktreePruneExpire', 'now'],
      ['maintenance.auto', 'true'],
    ] as const)
      at.sample.git('config', name, value)
    expect((await git(repo, ['merge', '--ff-only', '--quiet', next])).exitCode).toBe(0)
    expect(plugIn()).toBe('A  staged.txt')
  })
})
