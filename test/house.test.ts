import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, expect, it } from 'vitest'
import { sourceFiles } from './support/layers.ts'

// Limits of CONTRIBUTING.md that the linter cannot check: it knows functions, not lines and folders.
const files = sourceFiles(process.cwd())
const longestLine = 120
const longestFile = 400
const medianFile = 120
const longestTitle = 100

/** A web address, a regular expression and the source of one cannot be broken into lines. */
const unbreakable = [
  /https?:\/\/\S{40}/,
  /(?:^|[=(,:\s])\/(?:[^/\\\n]|\\.){30,}\/[dgimsuvy]*/,
  /^\s*`.*\(\?(?:[:!=]|<\w+>).*`,$/,
]

export const overlong = (line: string): boolean =>
  line.length > longestLine && !unbreakable.some((form) => form.test(line))
const linesOf = (text: string): string[] => text.replace(/\n$/, '').split('\n')
const overlongLines = (file: string, text: string): string[] =>
  linesOf(text).flatMap((line, at) =>
    overlong(line) ? [`${file}:${at + 1} has ${line.length}`] : [],
  )

const quoted = /'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`/.source
/** A title follows `it(`, `describe.skipIf(slow)(` or `it.each(rows)(`: a name of vitest, or the end of a call. */
const titled = new RegExp(`(?:\\b(?:it|test|describe)(?:\\.\\w+)*|\\))\\(\\s*(?:${quoted})`, 'g')

export const longTitles = (text: string): string[] =>
  [...text.matchAll(titled)]
    .map(([, single, double, template]) => single ?? double ?? template ?? '')
    .filter((title) => title.length > longestTitle)

describe('every source file', () => {
  it(`has lines of at most ${longestLine} characters`, () => {
    expect([...files].flatMap(([file, text]) => overlongLines(file, text))).toEqual([])
  })

  it(`has at most ${longestFile} lines, and half of all have at most ${medianFile}`, () => {
    const sizes = [...files].map(([file, text]) => ({ file, lines: linesOf(text).length }))
    expect(sizes.filter(({ lines }) => lines > longestFile)).toEqual([])
    const sorted = sizes.map(({ lines }) => lines).toSorted((a, b) => a - b)
    expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThanOrEqual(medianFile)
  })

  it('lies in a folder with a README that says what belongs there', () => {
    const folders = new Set([...files.keys()].map((file) => dirname(file)))
    expect([...folders].filter((folder) => !existsSync(`${folder}/README.md`))).toEqual([])
  })
})

/** A block of style sheets with this many declarations has one home; a class of `styles/` can be given to many. */
const blockLength = 5
/** The selectors that have the same declarations, in whatever order. */
export const equalBlocks = (sheets: ReadonlyMap<string, string>): string[] => {
  const homes = new Map<string, string[]>()
  for (const [file, text] of sheets)
    for (const [, selector = '', body = ''] of text.matchAll(/([^{}]+)\{([^{}]*)\}/g)) {
      const declarations = body.split(';').flatMap((each) => each.trim() || [])
      if (declarations.length < blockLength) continue
      const key = declarations.toSorted().join(';')
      homes.set(key, [...(homes.get(key) ?? []), `${file} ${selector.trim()}`])
    }
  return [...homes.values()].filter(({ length }) => length > 1).map((each) => each.join(' = '))
}

describe('the style sheets of HQ', () => {
  it(`hold no block of ${blockLength} or more declarations twice`, () => {
    const sheets = globSync('desktop/renderer/**/*.css')
    expect(sheets.length).toBeGreaterThan(20)
    expect(equalBlocks(new Map(sheets.map((file) => [file, readFileSync(file, 'utf8')])))).toEqual(
      [],
    )
  })

  it('are compared by their declarations, in any order', () => {
    const five = ['a: 1', 'b: 2', 'c: 3', 'd: 4', 'e: 5']
    const block = (lines: string[]): string => `.x {\n  ${lines.join(';\n  ')};\n}\n`
    const pair = (one: string[], two: string[]): Map<string, string> =>
      new Map([
        ['one.css', block(one)],
        ['two.css', block(two)],
      ])
    expect(equalBlocks(pair(five, five.toReversed()))).toEqual(['one.css .x = two.css .x'])
    expect(equalBlocks(pair(five, [...five, 'f: 6']))).toEqual([])
    expect(equalBlocks(pair(five.slice(1), five.slice(1)))).toEqual([])
  })
})

describe('the rule for long lines', () => {
  it.each([
    ['a sentence', `// ${'word '.repeat(30)}`, true],
    ['a long string', `const x = '${'a'.repeat(130)}'`, true],
    ['an address', `// see https://example.org/${'a'.repeat(120)}`, false],
    ['a regular expression', `const x = /${'a'.repeat(130)}/u`, false],
    ['the source of a regular expression', `  \`(?:${'a'.repeat(120)})\`,`, false],
    ['a line that is just not too long', 'a'.repeat(120), false],
  ])('judges %s', (_what, line, expected) => {
    expect(overlong(line)).toBe(expected)
  })
})

describe('every test', () => {
  it(`has lines of at most ${longestLine} characters, and so has every file that helps it`, () => {
    const found = globSync('test/**/*.{ts,mjs}')
    expect(found.length).toBeGreaterThan(200)
    expect(found.flatMap((file) => overlongLines(file, readFileSync(file, 'utf8')))).toEqual([])
  })

  it(`has at most ${longestFile} lines, and so has every file that helps it`, () => {
    const sizes = globSync('test/**/*.{ts,mjs}').map((file) => ({
      file,
      lines: linesOf(readFileSync(file, 'utf8')).length,
    }))
    expect(sizes.filter(({ lines }) => lines > longestFile)).toEqual([])
  })

  it(`has a title of at most ${longestTitle} characters`, () => {
    const tests = globSync('test/**/*.test.ts')
    expect(tests.length).toBeGreaterThan(100)
    const found = tests.flatMap((file) =>
      longTitles(readFileSync(file, 'utf8')).map((title) => `${file}: ${title}`),
    )
    expect(found).toEqual([])
  })
})

/** Words that have a plainer one (CONTRIBUTING.md): trusted, again, repaired, the caller that, and so on. */
const replacedWords = /\b(?:told|believ\w*|anew|whoever|afresh|lets? go of|mend(?:s|ed|ing)?)\b/i
/** They name such words to refuse them. */
const naming = new Set(['test/house.test.ts', 'test/shared/errors.test.ts'])

describe('every text of the repository', () => {
  it('uses plain words', () => {
    const texts = [
      ...globSync('{shared,ops,hostd,desktop,scripts,test,docs}/**/*.{ts,tsx,mjs,md}'),
      ...globSync('*.md'),
    ].filter((file) => !naming.has(file))
    expect(texts.length).toBeGreaterThan(800)
    const found = texts.flatMap((file) =>
      linesOf(readFileSync(file, 'utf8')).flatMap((line, at) =>
        replacedWords.test(line) ? [`${file}:${at + 1} ${line.trim()}`] : [],
      ),
    )
    expect(found).toEqual([])
  })

  it.each([
    ['a comment', '// whoever starts it', true],
    ['a message', "'The build is made anew.'", true],
    ['an id of the contract', "next_auto_fix: 'mend_commit'", false],
    ['a part of a word', 'recommended', false],
  ])('judges %s', (_what, line, expected) => {
    expect(replacedWords.test(line)).toBe(expected)
  })
})

describe('the rule for long titles', () => {
  const long = 'x'.repeat(longestTitle + 1)
  const most = 'x'.repeat(longestTitle)

  it.each([
    ['in single quotes', `it('${long}', () => {`, true],
    ['in double quotes', `test("${long}", () => {`, true],
    ['in backquotes', `describe(\`${long}\`, () => {`, true],
    ['on a line below', `it.skipIf(slow)(\n  '${long}',\n`, true],
    ['after the rows of a table', `it.each([\n  ['a', 1],\n])('${long}', (a) => {`, true],
    ['of a modified test', `it.only('${long}', () => {`, true],
    ['that is just not too long', `it('${most}', () => {`, false],
    ['of something else', `submit('${long}')`, false],
  ])('judges a title %s', (_what, text, expected) => {
    expect(longTitles(text).length > 0).toBe(expected)
  })
})
