// Hostile diffs: kinds of change.
import { chmodSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { files, type HostileDiff } from './making.ts'

export const kindsOfChange: readonly HostileDiff[] = [
  { name: 'no change at all', expected: 'nothing_to_ship', alone: true, commit: files({}) },
  {
    name: 'a change and its reversal',
    expected: 'nothing_to_ship',
    alone: true,
    commit: (sample) => {
      sample.commit('Change', { 'x.txt': 'x\n' })
      sample.git('revert', '--no-edit', 'HEAD')
    },
  },
  {
    name: 'a change and its reversal below another change',
    expected: 'reviewed',
    shown: '+++ b/y.txt',
    commit: (sample) => {
      sample.commit('Change', { 'x.txt': 'x\n' })
      sample.git('revert', '--no-edit', 'HEAD')
      sample.commit('Another', { 'y.txt': 'y\n' })
    },
  },
  {
    name: 'a mode alone',
    expected: 'reviewed',
    flagged: 'can be executed now',
    shown: 'new mode 100755',
    commit: (sample) => {
      chmodSync(join(sample.repo, 'app.mjs'), 0o755)
      sample.commit('Change')
    },
  },
  {
    name: 'a file that was moved',
    expected: 'reviewed',
    shown: '+export const add',
    commit: (sample) => {
      renameSync(join(sample.repo, 'app.mjs'), join(sample.repo, 'moved.mjs'))
      sample.commit('Change')
    },
  },
  {
    name: 'a file that was moved and altered',
    expected: 'reviewed',
    shown: '+evil()',
    commit: (sample) => {
      rmSync(join(sample.repo, 'app.mjs'))
      sample.commit('Change', { 'moved.mjs': 'export const add = (a, b) => a + b\nevil()\n' })
    },
  },
  {
    name: 'a merge',
    expected: 'reviewed',
    shown: '+from the side',
    commit: (sample) => {
      sample.git('checkout', '--quiet', '-b', 'side')
      sample.commit('Side', { 'side.txt': 'from the side\n' })
      sample.git('checkout', '--quiet', 'main')
      sample.commit('Main', { 'main.txt': 'x\n' })
      sample.git('merge', '--quiet', '--no-edit', '--no-ff', 'side')
      sample.git('branch', '--quiet', '-D', 'side')
    },
  },
  {
    name: 'a merge that brings more than its parents',
    expected: 'reviewed',
    shown: '+evil()',
    commit: (sample) => {
      sample.git('checkout', '--quiet', '-b', 'side')
      sample.commit('Side', { 'side.txt': 'x\n' })
      sample.git('checkout', '--quiet', 'main')
      sample.commit('Main', { 'main.txt': 'x\n' })
      sample.git('merge', '--quiet', '--no-commit', '--no-ff', 'side')
      sample.commit('Merge', { 'evil.mjs': 'evil()\n' })
      sample.git('branch', '--quiet', '-D', 'side')
    },
  },
  {
    name: 'a gate that the change lowers for itself',
    expected: 'reviewed',
    commit: (sample) => {
      sample.config({ review: { max_diff_bytes: 2_000_000, max_packets: 50 } })
      sample.commit('Change')
    },
  },
  {
    name: 'a test that is removed',
    expected: 'reviewed',
    shown: 'deleted file mode',
    commit: (sample) => {
      rmSync(join(sample.repo, 'app.test.mjs'))
      sample.commit('Change')
    },
  },
]
