import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import type { EventBody } from '#shared/events'
import { newRunId } from '#shared/ids'
import { deployResult, dodResult, triage, type DeployResult } from '#shared/result'
import { members } from '#ops/base/process/process-tree'
import { programArgv } from '#ops/base/process/program'
import { fillDisk, freeDisk } from '../../../support/full-disk.ts'
import { deployHost, type DeployHost } from '../../../support/host.ts'
import { until } from '../../../support/hostd.ts'

let at: DeployHost
beforeAll(async () => {
  at = await deployHost({ message: 'one' })
  at.settings({ deploy_attempts: 5, deploy_backoff_seconds: 1 })
  const { result } = await at.deploy()
  expect(result.overall, JSON.stringify(result.steps)).toBe('PASS')
})
afterAll(async () => {
  await at.remove()
})

const doctorFails = (fails: boolean): void => (fails ? fillDisk(at) : freeDisk(at))

it('joins a doctor that began before the new version was up, and does not count it as evidence', async () => {
  const stale = (await at.hostd.client.exec('doctor')).run_id
  // Its runner is held, so that the run ends only when the deploy has joined it.
  const runFile = join(at.host.paths.artifacts, 'runs', stale, 'run.json')
  await until(
    'the doctor to run',
    () => existsSync(runFile) && members({ marker: `OPENCLAW_RUN_ID=${stale}` }).length > 1,
  )
  const { pid } = JSON.parse(readFileSync(runFile, 'utf8')) as { pid: number }
  process.kill(pid, 'SIGSTOP')
  await until('the doctor to end', () =>
    existsSync(join(at.host.paths.artifacts, 'doctor', stale, 'doctor.json')),
  )
  await at.ship({ message: 'two' })
  const { result, dod } = await at.deploy({
    onEvents: (events) => {
      if (
        events.some(
          (event) => event.type === 'log' && event.text.startsWith(`joined doctor ${stale}`),
        )
      )
        process.kill(pid, 'SIGCONT')
    },
  })
  expect((await at.hostd.client.run(stale)).status).toBe('passed')
  expect(result, JSON.stringify(result.steps)).toMatchObject({ overall: 'PASS' })
  expect(dod?.doctor_run_id).not.toBe(stale)
  expect(dod).toMatchObject({ overall: 'PASS', joined: false })
})

/**
 * hostd, with somebody else who asks for the DoD's doctor a moment before the deploy does, as long as `rival` is set.
 */
let rival: (() => Promise<void>) | null = null
const servers: { close(): void; closeAllConnections(): void }[] = []
afterEach(() => {
  rival = null
  for (const server of servers.splice(0)) {
    server.close()
    server.closeAllConnections()
  }
})

async function besideRival(): Promise<string> {
  const headers = (request: IncomingMessage) => ({
    ...request.headers,
    host: `127.0.0.1:${at.hostd.port}`,
  })
  const pass = (request: IncomingMessage, response: ServerResponse, body?: Buffer): void => {
    const onward = httpRequest(
      {
        port: at.hostd.port,
        host: '127.0.0.1',
        method: request.method,
        path: request.url,
        headers: headers(request),
      },
      (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers)
        answer.pipe(response)
      },
    )
    onward.on('error', () => response.destroy())
    response.on('close', () => onward.destroy())
    if (body) onward.end(body)
    else request.pipe(onward)
  }
  const server = createServer((request, response) => {
    if (request.url !== '/api/exec' || rival === null) return pass(request, response)
    const meanwhile = rival
    void (async () => {
      const chunks: Buffer[] = []
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
      const body = Buffer.concat(chunks)
      await meanwhile()
      await new Promise<void>((resolve) => {
        httpRequest(
          {
            port: at.hostd.port,
            host: '127.0.0.1',
            method: 'POST',
            path: request.url,
            headers: headers(request),
          },
          (answer) => {
            answer.resume().once('end', resolve)
          },
        ).end(body)
      })
      pass(request, response, body)
    })()
    return undefined
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  servers.push(server)
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** deploy_until_green as the runner starts it, with another address of hostd. */
async function deployThrough(
  url: string,
  onEvent: (event: EventBody) => void,
): Promise<{ result: DeployResult; dir: string }> {
  const runId = newRunId()
  const [program, ...args] = programArgv('hq', ['deploy'])
  const child = spawn(program, args, {
    env: {
      ...at.host.env,
      OPENCLAW_HOSTD_URL: url,
      OPENCLAW_HOSTD_PORT: String(at.hostd.port),
      OPENCLAW_RUN_ID: runId,
      OPENCLAW_EVENTS_FD: '3',
    },
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  })
  for await (const line of createInterface({ input: child.stdio[3] as Readable }))
    onEvent(JSON.parse(line) as EventBody)
  const dir = join(at.host.paths.artifacts, 'deploy', runId)
  return {
    dir,
    result: deployResult.parse(JSON.parse(readFileSync(join(dir, 'deploy_result.json'), 'utf8'))),
  }
}

const read = (dir: string, name: string): unknown =>
  JSON.parse(readFileSync(join(dir, name), 'utf8'))
const dodEnded = (event: EventBody): boolean =>
  event.type === 'step_finished' && event.step === 'dod_production'

it('tries again, from a new fetch, after a DoD whose joined doctors failed, and passes', async () => {
  const first = await at.ship({ message: 'three' })
  let second = ''
  rival = async () => {
    doctorFails(true)
    if (second === '') second = await at.ship({ message: 'four' })
  }
  const { result, dir } = await deployThrough(await besideRival(), (event) => {
    if (!dodEnded(event)) return
    rival = null
    doctorFails(false)
  })
  const tried = deployResult.parse(read(dir, 'attempts/1/deploy_result.json'))
  expect(tried, JSON.stringify(tried.steps)).toMatchObject({
    overall: 'FAIL',
    error_class: 'dod_failed_joinable_409',
    step_failed: 'dod_production',
    target_sha: first,
  })
  expect(dodResult.parse(read(dir, 'attempts/1/dod_result.json'))).toMatchObject({
    overall: 'FAIL',
    joined: true,
  })
  expect(result, JSON.stringify(result.steps)).toMatchObject({
    overall: 'PASS',
    attempt: 2,
    target_sha: second,
  })
  expect(at.maintenance()).toBeNull()
  expect(existsSync(join(dir, 'triage.json'))).toBe(false)
})

it('stops at the same failure a second time, also of a class that is retried', async () => {
  rival = () => {
    doctorFails(true)
    return Promise.resolve()
  }
  const { result, dir } = await deployThrough(await besideRival(), (event) => {
    if (dodEnded(event)) doctorFails(false)
  })
  expect(result, JSON.stringify(result.steps)).toMatchObject({
    overall: 'FAIL',
    attempt: 2,
    error_class: 'dod_failed_joinable_409',
    step_failed: 'dod_production',
    next_auto_fix: 'join_active_run',
  })
  const said = triage.parse(read(dir, 'triage.json'))
  expect(said).toMatchObject({ retryable: true, attempts: 2, failing_step: 'dod_production' })
  expect(said.evidence.join()).toContain('the same failure again')
  expect(at.maintenance()).toMatchObject({ deploy_run_id: result.run_id })
})
