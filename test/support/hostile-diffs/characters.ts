// Hostile diffs: characters.
import { files, raw, shifted, type HostileDiff } from './making.ts'

export const hostileCharacters: readonly HostileDiff[] = [
  {
    name: 'a bidi override in source',
    expected: 'hidden_characters',
    commit: (sample, random) => {
      sample.commit('Change', {
        'app.mjs': `export const add = (a, b) => a + b // ${String.fromCharCode(0x202a + random.below(5))}} evil() {\n`,
      })
    },
  },
  {
    name: 'a bidi isolate in a text',
    expected: 'hidden_characters',
    commit: (sample, random) => {
      sample.commit('Change', {
        'notes.md': `Fine ${String.fromCharCode(0x2066 + random.below(4))} fine\n`,
      })
    },
  },
  {
    name: 'a name with a zero width character',
    expected: 'reviewed',
    flagged: 'U+200B',
    commit: files({
      'app.mjs': 'export const add = (a, b) => a + b\nexport const a\u200Bdd = () => 0\n',
    }),
  },
  {
    name: 'invisible tag characters',
    expected: 'reviewed',
    flagged: 'U+E0041',
    commit: files({ 'notes.md': `Fine${String.fromCodePoint(0xe0041, 0xe0050, 0xe0050)}\n` }),
  },
  {
    name: 'escape sequences of a terminal',
    expected: 'reviewed',
    flagged: 'U+001B',
    commit: files({ 'notes.md': 'evil()\u001b[2K\u001b[1Gfine()\n' }),
  },
  {
    name: 'a carriage return inside a line',
    expected: 'reviewed',
    flagged: 'U+000D',
    commit: files({ 'notes.md': 'evil()\rfine()\n' }),
  },
  {
    name: 'a line separator',
    expected: 'reviewed',
    flagged: 'U+2028',
    commit: files({ 'app.mjs': 'export const add = (a, b) => a + b // fine\u2028evil()\n' }),
  },
  {
    name: 'a line that goes on behind the edge',
    expected: 'reviewed',
    flagged: 'a line of',
    commit: (sample, random) => {
      sample.commit('Change', {
        'app.mjs': `export const add = (a, b) => a + b;${' '.repeat(6000 + random.below(1000))}evil()\n`,
      })
    },
  },
  {
    name: 'a program in variation selectors',
    expected: 'reviewed',
    alone: true,
    flagged: 'U+E0155',
    commit: files({
      'evil.mjs': `eval(decode('${shifted(0xe0100 - 16)}'))\n`,
    }),
  },
  {
    name: 'a program in private characters',
    expected: 'reviewed',
    alone: true,
    flagged: 'U+E065',
    commit: files({
      'evil.mjs': `eval(decode('${shifted(0xe000)}'))\n`,
    }),
  },
  {
    name: 'a joiner between letters',
    expected: 'reviewed',
    alone: true,
    flagged: 'U+200D',
    commit: files({ 'evil.mjs': 'export const a\u200Dd = 1\n' }),
  },
  {
    name: 'empty Braille cells for names',
    expected: 'reviewed',
    alone: true,
    flagged: 'U+2800',
    commit: files({ 'evil.sh': '\u2800() { evil; }; \u2800\n' }),
  },
  {
    name: 'source in another encoding',
    expected: 'reviewed',
    flagged: 'not valid UTF-8',
    commit: raw('evil.txt', Buffer.from([0x66, 0xe9, 0xfc, 0x0a])),
  },
]
