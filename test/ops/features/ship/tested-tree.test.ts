import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { nodeProgram } from '#ops/base/process/program'
import { makeShipRepo, type ShipRepo } from '../../../support/ship-repo.ts'
import { approve, startResponsesApi, type ResponsesApi } from '../../../support/responses-api.ts'

let api: ResponsesApi
let sample: ShipRepo
beforeAll(async () => {
  api = await startResponsesApi()
  api.script(approve)
  sample = makeShipRepo(api.base_url)
})
afterAll(async () => {
  await sample.remove()
  await api.close()
})

it('the tests see every file as it is in the commit: no filter, line end or identifier is put in on the way', async () => {
  sample.git('config', 'filter.shout.smudge', 'tr a-z A-Z')
  sample.git('config', 'filter.shout.clean', 'tr A-Z a-z')
  sample.git('config', 'core.autocrlf', 'true')
  const code = `const { readFileSync, writeFileSync } = require('fs')
const { execFileSync } = require('child_process')
const wanted = { 'a.shout': 'quiet\\n', 'b.txt': 'line\\n', 'c.id': '$Id$\\n' }
const wrong = Object.entries(wanted).filter(([name, text]) => readFileSync(name, 'utf8') !== text).map(([name]) => name)
const tracked = execFileSync('git', ['ls-files', '--deleted']).toString()
writeFileSync('report.xml', '<testsuites><testcase name="same">' + (wrong.length + tracked.length > 0 ? '<failure message="' + wrong + tracked + '"/>' : '') + '</testcase></testsuites>')`
  sample.config({
    tests: [
      {
        name: 'bytes',
        argv: [nodeProgram(), '-e', code],
        report: { format: 'junit', path: 'report.xml' },
      },
    ],
  })
  sample.commit('Attributes', {
    '.gitattributes': '*.shout filter=shout\n*.txt text eol=crlf\n*.id ident\n',
    'a.shout': 'quiet\n',
    'b.txt': 'line\n',
    'c.id': '$Id$\n',
  })
  const { result, dir } = await sample.ship()
  expect({
    overall: result.overall,
    tests: result.tests.find(({ name }) => name === 'bytes'),
    steps: result.steps.map(({ detail }) => detail),
  }).toMatchObject({ overall: 'PASS', tests: { passed: 1, failed: 0 } })
  expect(dir).toBe(join(sample.repo, 'artifacts', 'ship', result.run_id))
})
