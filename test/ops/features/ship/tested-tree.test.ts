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
