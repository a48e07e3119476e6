// Hostile diffs: links and paths.
import { mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { seeded } from '../seeded.ts'
import { answer, files, link, tree, type HostileDiff } from './making.ts'

export const linksAndPaths: readonly HostileDiff[] = [
  {
    name: 'a link that leaves through another link',
    expected: 'link_outside',
    alone: true,
    commit: (sample) => {
      mkdirSync(join(sample.repo, 'sub'))
      symlinkSync('..', join(sample.repo, 'sub', 'up'))
      link('sub/up/../outside')(sample, seeded(0))
    },
  },
  {
    name: 'a link that another one turns outwards later',
    expected: 'link_outside',
    alone: true,
    commit: (sample) => {
      sample.write('sub/folder/x.txt', 'x\n')
      link('sub/folder/../x.txt')(sample, seeded(0))
      rmSync(join(sample.repo, 'sub', 'folder'), { recursive: true })
      symlinkSync('..', join(sample.repo, 'sub', 'folder'))
      symlinkSync('sub/folder/../outside', join(sample.repo, 'second'))
      sample.commit('Turn')
    },
  },
  {
    name: 'a link through a link that is called so where case does not count',
    expected: 'link_outside',
    alone: true,
    commit: (sample) => {
      mkdirSync(join(sample.repo, 'sub'))
      symlinkSync('..', join(sample.repo, 'sub', 'up'))
      link('SUB/Up/../outside')(sample, seeded(0))
    },
  },
  {
    name: "a link into git's folder, with a letter in it that cannot be seen",
    expected: 'link_outside',
    alone: true,
    commit: link('.g\u200Cit/config'),
  },
  {
    name: 'a folder that becomes a link',
    expected: 'reviewed',
    alone: true,
    flagged: 'first: a link to "other"',
    shown: '+evil()',
    commit: (sample) => {
      sample.commit('Folder', { 'first/x.mjs': 'x()\n', 'other/x.mjs': 'evil()\n' })
      rmSync(join(sample.repo, 'first'), { recursive: true })
      symlinkSync('other', join(sample.repo, 'first'))
      sample.commit('Change')
    },
  },
  {
    name: 'a link to the system',
    expected: 'link_outside',
    commit: (sample, random) => {
      link(random.pick(['/etc/passwd', '/', '/proc/self/environ']))(sample, random)
    },
  },
  { name: 'a link above the tree', expected: 'link_outside', commit: link('docs/../../outside') },
  { name: "a link into git's folder", expected: 'link_outside', commit: link('.git/config') },
  {
    name: 'a link inside the tree',
    expected: 'reviewed',
    flagged: 'a link to',
    commit: link('docs/OPENCLAW_NEXT.md'),
  },
  {
    name: 'a file that becomes a link',
    expected: 'reviewed',
    flagged: 'a link to',
    commit: (sample) => {
      rmSync(join(sample.repo, 'app.test.mjs'))
      symlinkSync('app.mjs', join(sample.repo, 'app.test.mjs'))
      sample.commit('Change')
    },
  },
  {
    name: 'a path that differs by case',
    expected: 'path_collision',
    commit: files({ 'APP.mjs': 'evil()\n' }),
  },
  {
    name: 'a folder that differs by case',
    expected: 'path_collision',
    commit: files({ 'Docs/x.md': 'x\n' }),
  },
  {
    name: 'a path that differs by the composition of letters',
    expected: 'path_collision',
    commit: files({ 'caf\u00e9.md': 'x\n', 'cafe\u0301.md': 'y\n' }),
  },
  {
    name: 'a path that differs by a letter with another capital',
    expected: 'path_collision',
    commit: (sample, random) => {
      sample.commit('Change', {
        [random.pick(['doc\u017F/x.md', 'app.test.mj\u017F', 'doc\u017F'])]: 'x\n',
      })
    },
  },
  {
    name: 'a path with a joiner',
    expected: 'unsafe_path',
    alone: true,
    commit: files({ 'app\u200D.mjs': 'x\n' }),
  },
  {
    name: 'a path that ends with a dot',
    expected: 'unsafe_path',
    commit: files({ 'app.mjs.': 'x\n' }),
  },
  {
    name: 'a path with a line end and an answer',
    expected: 'unsafe_path',
    commit: files({ [`a\n${answer.slice(0, 60)}`]: 'x\n' }),
  },
  {
    name: 'a path with a bidi override',
    expected: 'unsafe_path',
    commit: files({ 'evil\u202etxt.mjs': 'x\n' }),
  },
  {
    name: 'a path that is not UTF-8',
    expected: 'unsafe_path',
    commit: tree([Buffer.from([0x65, 0xff, 0x2e, 0x74, 0x78, 0x74])]),
  },
  {
    name: 'a path with a backslash',
    expected: 'unsafe_path',
    commit: files({ 'docs\\..\\app.mjs': 'x\n' }),
  },
]
