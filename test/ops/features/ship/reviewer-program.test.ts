import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { setVariables } from '#ops/base/env'
import { installRoot } from '#ops/base/process/program'
import { refuseCodexOfChange } from '#ops/features/ship/review/codex-place'
import { codexProgram } from '#ops/features/ship/review/codex-program'
import { toProblem } from '#shared/errors'
import { signedVerdict } from '#shared/signature'
import { shipFixture } from '../../../support/ship-fixture.ts'
import { expectStop } from '../../../support/ship-stop.ts'

const at = shipFixture()
const marker = (): string => join(at.sample.home, 'it-ran')
/** A program that says that it ran, and approves nothing. */
const impostor = (): string => `#!/bin/sh\necho "$0 $*" >> '${marker()}'\nexit 1\n`
const sha256 = (file: string): string =>
  createHash('sha256').update(readFileSync(file)).digest('hex')

function program(path: string, text: string): string {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  chmodSync(path, 0o755)
  return path
}
const reviewerIn = (dir: string) =>
  signedVerdict.parse(JSON.parse(readFileSync(join(dir, 'verdict.json'), 'utf8'))).reviewer

/** A change that brings programs, as `npx` finds them. */
function commitPrograms(...names: readonly string[]): string {
  const bin = join(at.sample.repo, 'node_modules', '.bin')
  for (const name of names) program(join(bin, name), impostor())
  at.sample.commit('Programs')
  return bin
}

/** HQ as it lies here, without some of its packages. */
function installWithout(...packages: readonly string[]): string {
  const root = join(at.sample.temp, 'install')
  mkdirSync(join(root, 'node_modules'), { recursive: true })
  for (const name of ['ops', 'shared', 'hostd', 'package.json'])
    symlinkSync(join(installRoot(), name), join(root, name))
  for (const name of readdirSync(join(installRoot(), 'node_modules')))
    if (!packages.includes(name))
      symlinkSync(join(installRoot(), 'node_modules', name), join(root, 'node_modules', name))
  return root
}

describe('the program that reviews', () => {
  it('G5 is the one of HQ, whatever the change puts first in PATH, and the verdict says which', async () => {
    const bin = commitPrograms('codex', 'git')
    const env = { PATH: [bin, 'node_modules/.bin', at.sample.env['PATH']].join(delimiter) }
    const { result, dir } = await at.sample.ship(env)
    expect(result, JSON.stringify(result.steps)).toMatchObject({ overall: 'PASS' })
    expect(existsSync(marker())).toBe(false)
    const own = codexProgram(null, at.sample.repo)
    expect(reviewerIn(dir)).toMatchObject({
      cli_version: expect.stringMatching(/\d+\.\d+\.\d+/) as unknown,
      program_sha256: sha256(own.file),
    })
  })

  it('G5 is nothing in PATH when HQ was installed without its Codex CLI', async () => {
    const bin = commitPrograms('codex')
    const outside = program(join(at.sample.home, 'bin', 'codex'), impostor())
    await expectStop(
      at.sample,
      {
        error_class: 'review_unavailable',
        step: 'review_auto',
        fix: 'connect_codex',
        exit: 2,
        detail: 'installed without its Codex CLI',
      },
      {
        PATH: [bin, dirname(outside), at.sample.env['PATH']].join(delimiter),
        OPENCLAW_HQ_INSTALL: installWithout('@openai'),
      },
    )
    expect(existsSync(marker())).toBe(false)
  })

  it('G5 is refused inside the repository, whatever leads there', async () => {
    commitPrograms('codex')
    const inside = join(at.sample.repo, 'node_modules', '.bin', 'codex')
    const link = join(at.sample.home, 'link')
    symlinkSync(inside, link)
    const folder = join(at.sample.home, 'folder')
    symlinkSync(dirname(inside), folder)
    const real = program(join(at.sample.home, 'real', 'codex'), impostor())
    symlinkSync(dirname(real), join(at.sample.repo, 'through'))
    at.sample.commit('A link')
    const tree = join(at.sample.home, 'linked tree')
    at.sample.git('worktree', 'add', '--quiet', '--detach', tree)
    for (const codex of [
      inside,
      link,
      join(folder, 'codex'),
      join(at.sample.repo, 'through', 'codex'),
      join(tree, 'node_modules', '.bin', 'codex'),
      join(at.sample.repo, '.git', '..', 'node_modules', '.bin', 'codex'),
    ]) {
      at.sample.settings({ codex })
      const { result, exitCode } = await at.sample.ship()
      expect({ codex, ...result }).toMatchObject({
        codex,
        step_failed: 'preflight',
        error_class: 'program_in_repository',
        next_auto_fix: 'move_program',
      })
      expect(exitCode).toBe(2)
    }
    expect(existsSync(marker())).toBe(false)
  })

  it('is refused when a test of the change leads it into the repository meanwhile', async () => {
    const codex = join(at.sample.home, 'codex')
    symlinkSync(codexProgram(null, at.sample.repo).file, codex)
    at.sample.settings({ codex })
    const inside = join(at.sample.repo, 'tool')
    at.sample.commit('A test that moves the link', {
      tool: impostor(),
      'app.test.mjs':
        `import { rmSync, symlinkSync } from 'node:fs'\nimport { test } from 'node:test'\n` +
        `test('moves it', () => { rmSync(${JSON.stringify(codex)}); ` +
        `symlinkSync(${JSON.stringify(inside)}, ${JSON.stringify(codex)}) })\n`,
    })
    chmodSync(inside, 0o755)
    at.sample.commit('Executable')
    await expectStop(at.sample, {
      error_class: 'program_in_repository',
      step: 'review_auto',
      fix: 'move_program',
      exit: 2,
    })
    expect(existsSync(marker())).toBe(false)
  })

  it('gets none of the features that it does not use, and no name that it does not list', async () => {
    const own = codexProgram(null, at.sample.repo).file
    const seen = join(at.sample.home, 'seen')
    const list = 'plugins  stable  true\\nhooks  under development  false\\nother  stable  true\\n'
    const wrapper = (features: string): string =>
      `#!/bin/sh\n${features}\necho "$*" >> '${seen}'\nexec '${own}' "$@"\n`
    const codex = join(at.sample.home, 'wrapper')
    const disabledBy = async (features: string, file: string): Promise<string[]> => {
      program(codex, wrapper(features))
      at.sample.settings({ codex })
      at.sample.commit('Change', { [file]: 'x\n' })
      const { result, dir } = await at.sample.ship()
      expect(result, JSON.stringify(result.steps)).toMatchObject({ overall: 'PASS' })
      expect(reviewerIn(dir).program_sha256).toBe(sha256(codex))
      const line = readFileSync(seen, 'utf8')
        .split('\n')
        .findLast((each) => each.startsWith('exec'))
      return [...(line ?? '').matchAll(/--disable (\S+)/g)].map(([, name = '']) => name)
    }
    expect(await disabledBy('', 'one.txt')).toEqual(['apps', 'hooks', 'plugins', 'shell_snapshot'])
    expect(
      await disabledBy(`if [ "$1" = features ]; then printf '${list}'; exit 0; fi`, 'two.txt'),
    ).toEqual(['plugins'])
    expect(await disabledBy('if [ "$1" = features ]; then exit 2; fi', 'three.txt')).toEqual([])
  })
})

describe('HQ that runs from the repository it ships', () => {
  const refused = async (parts: readonly string[], isOwn = true): Promise<string | undefined> => {
    const { repo } = at.sample
    const head = at.sample.git('rev-parse', 'HEAD')
    const install = installRoot()
    setVariables({ OPENCLAW_HQ_INSTALL: repo })
    try {
      await refuseCodexOfChange({ parts, isOwn }, { repo, head, git: {} })
      return undefined
    } catch (error) {
      return toProblem(error).errorClass
    } finally {
      setVariables({ OPENCLAW_HQ_INSTALL: install })
    }
  }

  it('reviews with the installed CLI, but not with one that a commit brings', async () => {
    const file = program(join(at.sample.repo, 'node_modules', '@openai', 'codex', 'x'), impostor())
    expect(await refused([file])).toBeUndefined()
    expect(await refused([file], false)).toBe('program_in_repository')
    at.sample.commit('Ignore nothing')
    expect(await refused([file])).toBe('program_in_repository')
    at.sample.git('rm', '--quiet', '-r', '--cached', 'node_modules')
    rmSync(join(at.sample.repo, 'node_modules'), { recursive: true })
    symlinkSync(at.sample.home, join(at.sample.repo, 'node_modules'))
    at.sample.commit('A link in place of the folder')
    expect(await refused([join(at.sample.repo, 'node_modules', '@openai', 'codex', 'x')])).toBe(
      'program_in_repository',
    )
  })
})

describe('the programs of a ship', () => {
  it('are found in no folder of the repository, nor in a relative one', async () => {
    const bin = join(at.sample.repo, 'node_modules', '.bin')
    const outside = join(at.sample.home, 'out')
    mkdirSync(outside)
    program(join(bin, 'git'), impostor())
    symlinkSync(join(bin, 'git'), join(outside, 'git'))
    const said = join(at.sample.home, 'path')
    at.sample.commit('A test that says its PATH', {
      'app.test.mjs':
        `import { writeFileSync } from 'node:fs'\nimport { test } from 'node:test'\n` +
        `test('says it', () => writeFileSync(${JSON.stringify(said)}, process.env.PATH))\n`,
    })
    const PATH = [bin, '.', '', 'node_modules/.bin', outside, at.sample.env['PATH']].join(delimiter)
    const { result } = await at.sample.ship({ PATH })
    expect(result, JSON.stringify(result.steps)).toMatchObject({ overall: 'PASS' })
    expect(existsSync(marker())).toBe(false)
    const folders = readFileSync(said, 'utf8').split(delimiter)
    expect(folders).not.toContain('')
    expect(folders.filter((folder) => !folder.startsWith('/'))).toEqual([])
    expect(
      folders.map((folder) => (existsSync(folder) ? realpathSync(folder) : folder)),
    ).not.toContain(bin)
    expect(folders).not.toContain(outside)
  })
})
