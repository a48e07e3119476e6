import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { expect, it } from 'vitest'
import { shipFixture } from '../../../../support/ship-fixture.ts'
import { runPreflight } from '../../../../support/ship-preflight.ts'

const at = shipFixture({
  repositoryPer: 'file',
  prepare: async ({ sample }) => {
    sample.commit('Second', { 'lib/second.txt': 'one\n' })
    expect((await sample.ship()).result.overall).toBe('PASS')
    sample.git(
      'push',
      '--quiet',
      'origin',
      `${sample.commit('Third', { 'lib/third.txt': 'x\n' })}:refs/heads/other`,
    )
    sample.git('reset', '--quiet', '--hard', 'origin/main')
    sample.git('--git-dir', sample.origin, 'config', 'uploadpack.allowFilter', 'true')
    sample.git('--git-dir', sample.origin, 'config', 'uploadpack.allowAnySHA1InWant', 'true')
  },
})

const cloneAgain = (...options: string[]): void => {
  const { sample } = at
  rmSync(sample.repo, { recursive: true })
  const address = `file://${sample.origin}`
  execFileSync('git', ['clone', '--quiet', ...options, address, sample.repo], { stdio: 'pipe' })
  sample.git('config', 'user.name', 'Test')
  sample.git('config', 'user.email', 'test@localhost')
}

it.each([
  ['blobless', ['--filter=blob:none']],
  ['treeless', ['--filter=tree:0']],
  ['of depth 1', ['--depth=1']],
  ['of depth 1 and blobless', ['--depth=1', '--filter=blob:none']],
])('B2 preflight fetches what a clone lacks that is %s', async (_, options) => {
  const { sample } = at
  const before = sample.git('rev-parse', 'origin/main')
  cloneAgain(...options)
  const head = sample.commit('On top', { 'lib/second.txt': `${options.join()}\n` })
  const { facts, problem } = await runPreflight(sample)
  expect(problem).toBeNull()
  expect(facts.frozen).toMatchObject({ head, base: before, unproven: [] })
})

it('B2 ships from a blobless clone', async () => {
  cloneAgain('--filter=blob:none')
  at.sample.commit('On top', { 'lib/second.txt': 'shipped\n' })
  const { result } = await at.sample.ship()
  expect(result.overall, JSON.stringify(result.steps)).toBe('PASS')
})

it('B2 says that a clone is not whole when origin does not give what it lacks', async () => {
  cloneAgain('--filter=blob:none')
  at.sample.commit('On top again', { 'lib/second.txt': 'again\n' })
  at.sample.git('--git-dir', at.sample.origin, 'config', 'uploadpack.allowFilter', 'false')
  at.sample.git('--git-dir', at.sample.origin, 'config', 'uploadpack.allowAnySHA1InWant', 'false')
  at.sample.git('config', 'protocol.version', '0')
  const { problem } = await runPreflight(at.sample)
  expect(problem?.errorClass).toBe('clone_incomplete')
  expect(problem?.message).toContain('The clone is partial')
})
