import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { installRoot } from '#ops/base/process/program'
import { programFiles } from '#ops/host/console/image-files'

let root: string
const write = (path: string, text: string): void => {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'image-files-'))
  write('package.json', JSON.stringify({ imports: { '#shared/*': './shared/*.ts' } }))
  write('node_modules/parser/package.json', JSON.stringify({ dependencies: { lexer: '1' } }))
  write('node_modules/lexer/package.json', '{}')
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

describe('the files of a program', () => {
  it('are what its imports and exports reach, with the packages that they name', () => {
    write(
      'main.ts',
      "import a from './a.ts'\nexport * from '#shared/b'\nconst c = import('./c.ts')\n",
    )
    write('a.ts', "import {\n  parse,\n} from 'parser/next'\nimport 'node:fs'\n")
    write('shared/b.ts', 'export type { D } from "../d.ts"\n')
    write('c.ts', '')
    write('d.ts', '')
    expect(programFiles(root, 'main.ts')).toEqual({
      sources: ['a.ts', 'c.ts', 'd.ts', 'main.ts', 'shared/b.ts'],
      packages: ['node_modules/lexer', 'node_modules/parser'],
    })
  })

  it('are not what a text says', () => {
    const texts = [
      `export const fields = ['from', 'to', 'import', 'x']`,
      `export const said = ['where it comes from', 'where to']`,
      'export const more = `\nimport x from "y"\n`',
      `// import z from 'z'`,
      `export const made = Array.from('moon')`,
    ]
    write('main.ts', texts.join('\n'))
    expect(programFiles(root, 'main.ts')).toEqual({ sources: ['main.ts'], packages: [] })
  })

  it('name what is missing', () => {
    write('main.ts', "import moon from 'moon'\n")
    expect(() => programFiles(root, 'main.ts')).toThrow(/the package moon/)
    write('main.ts', "import moon from './moon.ts'\n")
    expect(() => programFiles(root, 'main.ts')).toThrow(/moon\.ts/)
  })

  it('are all there for each program of this installation', () => {
    for (const entry of ['ops/host/console/main.ts', 'hostd/daemon.ts', 'ops/cli/main.ts'])
      expect(programFiles(installRoot(), entry).sources).toContain(entry)
  })
})
