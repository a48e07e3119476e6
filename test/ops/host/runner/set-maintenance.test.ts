import { rmSync } from 'node:fs'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { newRunId } from '#shared/ids'
import { personsMaintenance } from '#shared/maintenance'
import { readMaintenance } from '#ops/core/host-state/maintenance'
import { writeJson } from '#ops/base/files/json-file'
import { setMaintenance } from '#ops/host/runner/set-maintenance'
import { testHost, type TestHost } from '../../../support/hostd.ts'

let host: TestHost
beforeEach(() => {
  host = testHost()
})
afterEach(async () => {
  await host.remove()
})

it.each([
  [
    'writes',
    () =>
      writeJson(host.paths.maintenance, {
        schema_version: 1,
        deploy_run_id: newRunId(),
        reason: 'deploy',
        since: new Date().toISOString(),
      }),
  ],
  ['removes', () => rmSync(host.paths.maintenance)],
])('G7 stays a person’s when a deploy %s the file at the same moment', async (_what, deploy) => {
  const put = setMaintenance(host.paths, { set: 'on', reason: 'new disk', actor: 'me@example.com' })
  deploy()
  expect(await put).toBe('Maintenance mode is on.')
  expect(personsMaintenance(readMaintenance(host.paths))).toMatchObject({ by: 'me@example.com' })
})
