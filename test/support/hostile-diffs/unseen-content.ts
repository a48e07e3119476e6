// Hostile diffs: content that no diff shows.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { files, raw, executable, bytes, type HostileDiff } from './making.ts'

export const unseenContent: readonly HostileDiff[] = [
  {
    name: 'a NUL in source',
    expected: 'hidden_characters',
    commit: files({ 'evil.mjs': 'evil()\n\0\n' }),
  },
  {
    name: 'source in UTF-16',
    expected: 'hidden_characters',
    commit: raw('evil.ps1', Buffer.from('evil\n', 'utf16le')),
  },
  {
    name: 'a script that looks binary',
    expected: 'hidden_characters',
    commit: raw('run', Buffer.from('#!/bin/sh\nevil\n\0\n')),
  },
  {
    name: 'a NUL in a text of no known kind',
    expected: 'hidden_characters',
    commit: (sample, random) => {
      sample.commit('Change', {
        [random.pick(['evil', 'evil.coffee', 'evil.unheard', 'evil.png'])]:
          `evil() # ${random.hex(random.below(3000))}\n#${'\0'.repeat(1 + random.below(200))}\n`,
      })
    },
  },
  {
    name: 'a text of no known kind in UTF-16',
    expected: 'hidden_characters',
    commit: (sample, random) => {
      raw(
        'evil.unheard',
        Buffer.from(`${random.pick(['\uFEFF', ''])}evil\n${random.hex(20)}`, 'utf16le'),
      )(sample, random)
    },
  },
  {
    name: 'a text behind a megabyte of zero bytes',
    expected: 'hidden_characters',
    alone: true,
    commit: files({ 'evil.unheard': `${'\0'.repeat(1_200_000)}\nevil()\n` }),
  },
  {
    name: 'G8: a script in front of more than 16 MiB of zero bytes',
    expected: 'hidden_characters',
    alone: true,
    commit: executable(Buffer.concat([Buffer.from('#!/bin/sh\nevil\n'), Buffer.alloc(17 << 20)])),
  },
  {
    name: 'G8: a text of no known kind behind more than 16 MiB of zero bytes',
    expected: 'hidden_characters',
    alone: true,
    commit: raw('evil.bin', Buffer.concat([Buffer.alloc(17 << 20), Buffer.from('\nevil()\n')])),
  },
  {
    name: 'G8: a script without a first line that names its shell, in front of noise',
    expected: 'hidden_characters',
    commit: (sample, random) => {
      const noise = Buffer.from(bytes(random, 9000))
      executable(Buffer.concat([Buffer.from('evil\nexit\n\0'), noise]))(sample, random)
    },
  },
  {
    name: 'G8: a text in Latin-1 with a zero byte',
    expected: 'hidden_characters',
    commit: (sample, random) => {
      const name = `${random.hex(2000)}\n`
      raw('evil', Buffer.from(`evil() # caf\u00e9 ${name}\0`, 'latin1'))(sample, random)
    },
  },
  {
    name: 'code in a file whose name says that it is generated',
    expected: 'reviewed',
    shown: '+evil()',
    commit: (sample, random) => {
      sample.commit('Change', {
        [random.pick([
          'package-lock.json',
          'vendor/yarn.lock',
          'app.min.js',
          'x.generated.mjs',
          'evil_pb2.py',
          'app.css.map',
        ])]: 'evil()\n',
      })
    },
  },
  {
    name: 'a pointer to content that git does not hold',
    expected: 'reviewed',
    shown: '+oid sha256:',
    commit: (sample, random) => {
      sample.commit('Change', {
        'app.bin': `version https://git-lfs.github.com/spec/v1\noid sha256:${random.hex(64)}\nsize 4711\n`,
      })
    },
  },
  {
    name: 'the content of another file once more',
    expected: 'reviewed',
    alone: true,
    shown: '+++ b/lib/copy.mjs',
    commit: files({ 'lib/copy.mjs': 'export const add = (a, b) => a + b\n' }),
  },
  {
    name: 'attributes in a folder that keep files from an archive',
    expected: 'reviewed',
    alone: true,
    flagged: 'lib/.gitattributes: sets attributes',
    shown: '+evil()',
    commit: files({ 'lib/.gitattributes': '*.mjs export-ignore\n', 'lib/evil.mjs': 'evil()\n' }),
  },
  {
    name: 'attributes in a folder that write commits into files',
    expected: 'reviewed',
    alone: true,
    flagged: 'lib/.gitattributes: sets attributes',
    shown: '+// $Format:',
    commit: files({
      'lib/.gitattributes': '* export-subst ident\n',
      'lib/evil.mjs': '// $Format:%B$ $Id$\n',
    }),
  },
  {
    name: 'an attribute that is called otherwise',
    expected: 'reviewed',
    alone: true,
    flagged: 'attributes',
    shown: '+evil()',
    commit: files({
      '.gitattributes': '[attr]plain -diff -text\n*.mjs plain\n',
      'evil.mjs': 'evil()\n',
    }),
  },
  {
    name: 'a binary file alone',
    expected: 'reviewed',
    shown: 'Binary content, not shown. Before: none. After: blob',
    commit: (sample, random) => {
      raw('logo.png', bytes(random, 1000 + random.below(9000)))(sample, random)
    },
  },
  {
    name: 'a source file that attributes call binary',
    expected: 'reviewed',
    flagged: 'attributes',
    shown: '+evil()',
    commit: files({ '.gitattributes': '*.mjs binary\n', 'evil.mjs': 'evil()\n' }),
  },
  {
    name: 'a filter in the attributes',
    expected: 'reviewed',
    flagged: 'attributes',
    commit: files({ '.gitattributes': '* filter=evil\n' }),
  },
  {
    name: 'a submodule',
    expected: 'submodule_refused',
    commit: (sample, random) => {
      sample.git('update-index', '--add', '--cacheinfo', `160000,${random.hex(40)},vendored`)
      sample.git('commit', '--quiet', '-m', 'Change')
      mkdirSync(join(sample.repo, 'vendored')) // as git leaves one that is not fetched: the tree is clean
    },
  },
  {
    name: 'a submodule that moves',
    expected: 'submodule_refused',
    commit: (sample, random) => {
      for (const what of ['Add', 'Move']) {
        sample.git('update-index', '--add', '--cacheinfo', `160000,${random.hex(40)},vendored`)
        sample.git('commit', '--quiet', '-m', what)
      }
      mkdirSync(join(sample.repo, 'vendored'))
    },
  },
]
