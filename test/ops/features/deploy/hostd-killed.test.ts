import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parseRunEvent } from '#shared/events'
import { deployHost, type DeployHost } from '../../../support/host.ts'
import { startHostd, type TestHostd } from '../../../support/hostd.ts'

let at: DeployHost
let second: Promise<TestHostd> | null = null
beforeAll(async () => {
  at = await deployHost({ message: 'one' })
})
afterAll(async () => {
  await (await second)?.stop()
  await at.remove()
})

it('completes a deploy although hostd is killed, and the next hostd shows the run with its whole log', async () => {
  const { run, result, events } = await at.deploy({
    onEvents: (batch) => {
      if (
        second !== null ||
        !batch.some((event) => event.type === 'step_started' && event.step === 'console_build')
      )
        return
      second = at.hostd.kill().then(() => startHostd(at.host, { port: at.hostd.port }))
    },
  })
  expect(second).not.toBeNull()
  expect(run).toMatchObject({ status: 'passed', error_class: null })
  expect(result, JSON.stringify(result.steps, null, 1)).toMatchObject({
    overall: 'PASS',
    run_id: run.run_id,
  })
  const written = readFileSync(join(at.host.paths.runs, run.run_id, 'log.ndjson'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => parseRunEvent(JSON.parse(line)))
  expect(events).toEqual(written)
  expect(events.map(({ seq }) => seq)).toEqual(written.map((_, index) => index + 1))
  expect(at.maintenance()).toBeNull()
})
