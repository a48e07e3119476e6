import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { nodeProgram } from '#ops/base/process/program'
import { shipFixture } from '../../../support/ship-fixture.ts'

const at = shipFixture({ repositoryPer: 'file' })

it('the tests see every file as the commit has it, without filter, line end or identifier', async () => {
  at.sample.git('config', 'filter.shout.smudge', 'tr a-z A-Z')
  at.sample.git('config', 'filter.shout.clean', 'tr A-Z a-z')
  at.sample.git('config', 'core.autocrlf', 'true')
  const code = `const { readFileSync, writeFileSync } = require('fs')
const { execFileSync } = require('child_process')
const wanted = { 'a.shout': 'quiet\\n', 'b.txt': 'line\\n', 'c.id': '$Id$\\n' }
const wrong = Object.entries(wanted).filter(([name, text]) => readFileSync(name, 'utf8') !== text).map(([name]) => name)
const tracked = execFileSync('git', ['ls-files', '--deleted']).toString()
const failure = wrong.length + tracked.length > 0 ? '<failure message="' + wrong + tracked + '"/>' : ''
writeFileSync('report.xml', '<testsuites><testcase name="same">' + failure + '</testcase></testsuites>')`
  at.sample.config({
    tests: [
      {
        name: 'bytes',
        argv: [nodeProgram(), '-e', code],
        report: { format: 'junit', path: 'report.xml' },
      },
    ],
  })
  at.sample.commit('Attributes', {
    '.gitattributes': '*.shout filter=shout\n*.txt text eol=crlf\n*.id ident\n',
    'a.shout': 'quiet\n',
    'b.txt': 'line\n',
    'c.id': '$Id$\n',
  })
  const { result, dir } = await at.sample.ship()
  expect({
    overall: result.overall,
    tests: result.tests.find(({ name }) => name === 'bytes'),
    steps: result.steps.map(({ detail }) => detail),
  }).toMatchObject({ overall: 'PASS', tests: { passed: 1, failed: 0 } })
  expect(dir).toBe(join(at.sample.repo, 'artifacts', 'ship', result.run_id))
})

it('L5 a hook manager that a test installs changes nothing of the operator, and is no bypass', async () => {
  const { sample } = at
  // What `husky`, `lefthook install` and `simple-git-hooks` do, one after the other, and a test that pushes.
  const code = `const { execFileSync } = require('child_process')
const { mkdirSync, writeFileSync } = require('fs')
const git = (...args) => execFileSync('git', args, { encoding: 'utf8' }).trim()
git('config', 'core.hooksPath', '.husky/_')
git('config', '--local', 'core.hooksPath', '.husky/_')
const hooks = git('rev-parse', '--git-common-dir') + '/hooks'
mkdirSync(hooks, { recursive: true })
writeFileSync(hooks + '/pre-push', 'exit 1')
git('commit', '--quiet', '--allow-empty', '--no-verify', '-m', 'By a test')
git('tag', 'made-by-a-test')
const seen = [git('describe', '--tags', 'HEAD~1'), git('log', '-1', '--format=%an'), git('remote')]
const wrong = seen.join() === 'v1,Test,' ? '' : '<failure message="' + seen + '"/>'
writeFileSync('report.xml', '<testsuites><testcase name="seen">' + wrong + '</testcase></testsuites>')`
  const report = { format: 'junit', path: 'report.xml' } as const
  sample.config({ tests: [{ name: 'hooks', argv: [nodeProgram(), '-e', code], report }] })
  const head = sample.commit('Hooks')
  sample.git('tag', 'v1')
  mkdirSync(join(sample.repo, '.husky', '_'), { recursive: true })
  writeFileSync(join(sample.repo, '.husky', '_', '.gitignore'), '*\n')
  sample.git('config', 'core.hooksPath', '.husky/_')
  const before = readFileSync(join(sample.repo, '.git', 'config'), 'utf8')
  const { result } = await sample.ship()
  expect(result.overall, JSON.stringify(result.steps)).toBe('PASS')
  expect(readFileSync(join(sample.repo, '.git', 'config'), 'utf8')).toBe(before)
  expect(existsSync(join(sample.repo, '.git', 'hooks', 'pre-push'))).toBe(false)
  expect(sample.git('rev-parse', 'HEAD')).toBe(head)
  expect(sample.git('tag')).toBe('v1')
})

it('B5 does not test a pointer of Git LFS in place of its content', async () => {
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 7\n`
  at.sample.commit('A pointer', { '.gitattributes': '*.png filter=lfs\n', 'logo.png': pointer })
  const { result } = await at.sample.ship()
  expect(result).toMatchObject({
    overall: 'FAIL',
    step_failed: 'tests',
    error_class: 'lfs_content_missing',
    next_auto_fix: 'provide_lfs_content',
  })
  // The rest of the message depends on whether git-lfs is installed.
  expect(result.steps[1]?.detail).toContain(
    '1 of 1 files in Git LFS are not here, first logo.png: ',
  )
})
