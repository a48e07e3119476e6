import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request as httpRequest, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readRecord } from '#ops/core/host-state/service-record'
import { statusReply } from '#shared/api'
import { fillDisk, freeDisk } from '../../../support/full-disk.ts'
import { deployHost, type Deployed, type DeployHost } from '../../../support/host.ts'
import { sampleApp } from '../../../support/sample-app.ts'
import { expectStop } from '../../../support/stopped.ts'

const nothing = { services: [], endpoints: [], routes: [] }

let at: DeployHost
beforeAll(async () => {
  at = await deployHost({ message: 'one' })
  const { result } = await at.deploy()
  expect(result.overall, JSON.stringify(result.steps)).toBe('PASS')
})
afterAll(async () => {
  await at.remove()
})

/** A deploy whose console is reached through a proxy that may answer by itself. */
async function deployThroughProxy(
  answer: (url: string, response: ServerResponse) => boolean,
): Promise<Deployed> {
  const proxy = createServer((request, response) => {
    if (answer(request.url ?? '', response)) return undefined
    return request.pipe(
      httpRequest(
        {
          port: at.ports.console,
          host: '127.0.0.1',
          method: request.method,
          path: request.url,
          headers: { ...request.headers, host: `127.0.0.1:${at.ports.console}` },
        },
        (reply) => {
          response.writeHead(reply.statusCode ?? 500, reply.headers)
          reply.pipe(response)
        },
      ),
    )
  })
  await new Promise<void>((resolve) => {
    proxy.listen(0, '127.0.0.1', resolve)
  })
  at.settings({ console_url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` })
  const deploy = await at.deploy()
  at.settings({ console_url: undefined })
  proxy.close()
  proxy.closeAllConnections()
  return deploy
}

/**
 * A deploy during which something happens right before its DoD: at the last question of the step before, which waits
 * for it.
 */
const deployWith = (act: () => void): Promise<Deployed> => {
  let over = false
  return deployThroughProxy((url) => {
    if (url === '/api/runs' && !over) {
      over = true
      act()
    }
    return false
  })
}

it('stops when a key endpoint says ok:false, and hostd shows that maintenance stays on', async () => {
  await at.ship({ message: 'endpoint off', endpoint: 'not_ok' })
  const deploy = await at.deploy()
  expectStop(at, deploy, 'endpoint_not_ok', 'verify_production')
  expect(deploy.triage?.evidence.join()).toContain('/api/message')
  const status = await at.hostd.client.request('/api/status', statusReply)
  expect(status.maintenance).toMatchObject({ on: true, file: { deploy_run_id: deploy.run.run_id } })
  expect(status.last_deploy).toMatchObject({
    ok: false,
    triage: { error_class: 'endpoint_not_ok' },
  })
  await at.ship({ message: 'endpoint good' })
})

it('stops when the console has no /api/dod/last', async () => {
  const deploy = await deployThroughProxy((url, response) => {
    if (url === '/api/dod/last') response.writeHead(404).end('{}')
    return url === '/api/dod/last'
  })
  expectStop(at, deploy, 'missing_route_dod_last', 'console_route_gate')
})

it('stops when doctor says FAIL', async () => {
  fillDisk(at)
  const deploy = await at.deploy()
  freeDisk(at)
  expectStop(at, deploy, 'doctor_failed', 'verify_production')
  expect(deploy.triage?.evidence.join()).toContain('disk:')
})

it('stops when the doctor of its DoD says FAIL, and the DoD says so for this deploy', async () => {
  const deploy = await deployWith(() => fillDisk(at))
  freeDisk(at)
  expectStop(at, deploy, 'dod_failed', 'dod_production')
  expect(deploy.dod).toMatchObject({
    overall: 'FAIL',
    deploy_run_id: deploy.run.run_id,
    joined: false,
  })
})

it('stops when the state cannot be written', async () => {
  const file = at.host.paths.projectState
  const before = readFileSync(file)
  const deploy = await deployWith(() => {
    rmSync(file)
    mkdirSync(file)
    writeFileSync(join(file, 'in-the-way'), '')
  })
  rmSync(file, { recursive: true })
  writeFileSync(file, before)
  expectStop(at, deploy, 'state_not_written', 'update_project_state')
})

it('stops at a state that cannot be read, and restores the one of the last green deploy', async () => {
  const file = at.host.paths.projectState
  const before = JSON.parse(readFileSync(file, 'utf8')) as unknown
  writeFileSync(file, '{"half":')
  const deploy = await at.deploy()
  expectStop(at, deploy, 'state_invalid', 'verify_production')
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(before)
})

it('U5 ends maintenance with the next good deploy, and its doctor names no older one', async () => {
  const { result, triage, dod } = await at.deploy()
  expect(result, JSON.stringify(result.steps)).toMatchObject({ overall: 'PASS' })
  expect(triage).toBeNull()
  expect(dod?.checks.find(({ name }) => name === 'last_deploy')).toMatchObject({
    status: 'SKIP',
    detail: expect.stringMatching(`Deploy ${result.run_id} makes this check`) as string,
  })
  expect(at.maintenance()).toBeNull()
  expect(await at.message()).toMatchObject({ message: 'endpoint good' })
})

/** The configuration of the sample app with other values, as a file of a commit. */
const configFile = (more: object): Record<string, string> => {
  const name = 'openclaw.config.json'
  const config = JSON.parse(sampleApp({ message: '' }, at.ports.app)[name] ?? '') as object
  return { [name]: JSON.stringify({ ...config, ...more }) }
}

it('G6 runs the checks of the version before on a commit that drops them, until the next deploy', async () => {
  const none = configFile({ endpoints: [], routes: [] })
  await at.ship({ message: 'unchecked', endpoint: 'not_ok' }, { files: none })
  const deploy = await at.deploy()
  expectStop(at, deploy, 'endpoint_not_ok', 'verify_production')
  expect(deploy.triage?.evidence.join()).toContain('version that was green last is checked here')

  await at.ship({ message: 'nothing runs' }, { files: configFile({ ...nothing, build: [] }) })
  const gone = await at.deploy()
  expectStop(at, gone, 'deploy_check_removed', 'git_sync')

  // The way to remove a check: it goes one deploy before what it checks.
  await at.ship({ message: 'check removed' }, { files: none })
  expect((await at.deploy()).result.overall).toBe('PASS')
  // L2: what the service writes beside its code stays, and the deploy says so.
  const release = readRecord(at.host.paths, 'app')?.release ?? ''
  writeFileSync(join(release, 'orders.json'), 'precious')
  await at.ship({ message: 'endpoint removed', endpoint: 'not_ok' }, { files: none })
  const { result, dod } = await at.deploy()
  expect(result.overall, JSON.stringify(result.steps)).toBe('PASS')
  expect(dod?.checks.find(({ name }) => name === 'service_data')).toMatchObject({
    status: 'WARN',
    detail: expect.stringMatching(
      new RegExp(`^${release} is kept for what .* at least until 20[0-9-]{8}\\.$`),
    ) as string,
    remedy: 'move_service_data',
  })
  const detail = result.steps.find(({ name }) => name === 'docker_compose')?.detail
  expect(detail).toContain(`the version before wrote orders.json beside its code`)
  expect(readFileSync(join(release, 'orders.json'), 'utf8')).toBe('precious')
}, 900_000)
