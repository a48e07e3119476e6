import { createServer } from 'node:net'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { runChecks } from '#ops/core/checks/check'
import { auditClass } from '#ops/features/port-audit/checks'
import { noExceptions } from '#ops/platform/net/exposure'
import { hostPortChecks } from '#ops/features/port-audit/host-audit'
import { ordinaryMounts } from '#ops/platform/net/host-mounts'

let dir: string
let socket: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'docker-unreachable-'))
  socket = join(dir, 'docker.sock')
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const dockerCheck = (limitMs: number) =>
  hostPortChecks({
    docker: { socket },
    exceptions: noExceptions,
    mounts: ordinaryMounts,
    hq: {
      hostdPort: 1,
      consolePort: 1,
      tailnetSocket: '',
      dockerSocket: '',
      narrowed: false,
    },
    limitMs,
  }).filter(({ name }) => name === 'ports:docker')

it('an audit without Docker names Docker as the remedy, not an open port', async () => {
  const [found] = await runChecks(dockerCheck(2000))
  expect(found).toMatchObject({
    status: 'FAIL',
    remedy: 'start_docker',
    detail: expect.stringContaining('Docker does not answer') as string,
  })
  expect(found && auditClass(found)).toBe('docker_unreachable')
})

it('a slow Docker is reported as slow, and time before the probe does not count', async () => {
  const server = createServer(() => undefined).listen(socket)
  await new Promise((resolve) => {
    server.once('listening', resolve)
  })
  const asked = runChecks(dockerCheck(300))
  await new Promise((resolve) => {
    server.once('connection', (connection) => {
      connection.unref()
      resolve(undefined)
    })
  })
  for (const end = performance.now() + 600; performance.now() < end;) Math.sqrt(end) // this process is busy
  const [found] = await asked
  server.close()
  expect(found).toMatchObject({ status: 'FAIL', detail: 'The check gave no answer within 0.3 s.' })
})
