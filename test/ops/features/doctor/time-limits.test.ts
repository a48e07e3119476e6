import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { newRunId } from '#shared/ids'
import { checksResult, type CheckResult } from '#shared/result'
import { composeFolder } from '#ops/host/engines/compose/record'
import { turnMaintenanceOn } from '#ops/core/host-state/maintenance'
import { startHostd, testHost, type TestHost, type TestHostd } from '../../../support/hostd.ts'

/** What a daemon says of itself, and that it has nothing else. */
const answers: Readonly<Record<string, unknown>> = {
  '/version': { Version: '99' },
  '/info': { Driver: 'overlay2', ContainersRunning: 0, Images: 0 },
}

describe('the time that a check of doctor has', () => {
  let host: TestHost
  let hostd: TestHostd
  let docker: Server
  /** Milliseconds until it answers; null: never. */
  let after: number | null
  beforeEach(async () => {
    host = testHost()
    const socket = join(host.dir, 'docker.sock')
    writeFileSync(
      host.paths.hostSettings,
      JSON.stringify({ name: 'test-host', docker_socket: socket }),
    )
    mkdirSync(composeFolder(host.paths), { recursive: true })
    docker = createServer((request, response) => {
      if (after !== null)
        setTimeout(() => response.end(JSON.stringify(answers[request.url ?? ''] ?? [])), after)
    })
    await new Promise<void>((resolve) => {
      docker.listen(socket, resolve)
    })
    hostd = await startHostd(host)
  })
  afterEach(async () => {
    await hostd.stop()
    docker.closeAllConnections()
    docker.close()
    await host.remove()
  })

  const dockerCheck = async (dodRun?: string): Promise<CheckResult | undefined> => {
    const { run } = await hostd.client.startOrJoin(
      'doctor',
      {},
      dodRun === undefined ? {} : { dodRun },
    )
    return checksResult.parse(run.result).checks.find(({ name }) => name === 'docker')
  }

  it('is two seconds, and more within a deploy, which makes the host slow', async () => {
    after = null
    expect(await dockerCheck()).toMatchObject({
      status: 'FAIL',
      detail: 'The check gave no answer within 2 s.',
    })
    after = 6000
    const deploy = newRunId()
    await turnMaintenanceOn(host.paths, { deployRunId: deploy, reason: 'deploy' })
    expect(await dockerCheck(deploy)).toMatchObject({
      status: 'PASS',
      detail: 'Docker 99, storage driver overlay2, 0 containers running, 0 images',
    })
  })
})
