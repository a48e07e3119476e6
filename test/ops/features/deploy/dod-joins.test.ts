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

interface HeldDoctor {
  readonly id: string
  release(): void
}

/** Starts a doctor and holds its runner, so that the run cannot end before `release`. */
async function startHeldDoctor(): Promise<HeldDoctor> {
  for (;;) {
    const id = (await at.hostd.client.exec('doctor')).run_id
    const runFile = join(at.host.paths.artifacts, 'runs', id, 'run.json')
    // A busy machine may show the doctor only when it has ended: then the next one is held.
    const pid = await until('the doctor to run, or its end', async () => {
      const runs = members({ marker: `OPENCLAW_RUN_ID=${id}` }).length > 1
      if (existsSync(runFile) && runs)
        return (JSON.parse(readFileSync(runFile, 'utf8')) as { pid: number }).pid
      return (await at.hostd.client.run(id)).finished_at === null ? null : 'ended'
    })
    if (pid === 'ended') continue
    process.kill(pid, 'SIGSTOP')
    return { id, release: () => process.kill(pid, 'SIGCONT') }
  }
}

const joins = (event: EventBody, { id }: HeldDoctor): boolean =>
  event.type === 'log' && event.text.startsWith(`joined doctor ${id}`)

it('joins a doctor that began before the new version was up, and does not count it as evidence', async () => {
  const stale = await startHeldDoctor()
  await until('the doctor to end', () =>
    existsSync(join(at.host.paths.artifacts, 'doctor', stale.id, 'doctor.json')),
  )
  await at.ship({ message: 'two' })
  const { result, dod } = await at.deploy({
    onEvents: (events) => {
      if (events.some((event) => joins(event, stale))) stale.release()
    },
  })
  expect((await at.hostd.client.run(stale.id)).status).toBe('passed')
  expect(result, JSON.stringify(result.steps)).toMatchObject({ overall: 'PASS' })
  expect(dod?.doctor_run_id).not.toBe(stale.id)
  expect(dod).toMatchObject({ overall: 'PASS', joined: false })
})

/**
 * What happens when the deploy asks for its doctor, before hostd gets the question, by the number of the question. The
 * deploy waits meanwhile, so nothing here depends on how fast anything is.
 * @returns a doctor of somebody else that runs now; null: none does
 */
type BeforeDoctor = (question: number) => Promise<HeldDoctor | null>

/** The doctor of somebody else that the deploy has not joined yet. */
let rival: HeldDoctor | null = null
const servers: { close(): void; closeAllConnections(): void }[] = []
afterEach(() => {
  rival?.release()
  rival = null
  for (const server of servers.splice(0)) {
    server.close()
    server.closeAllConnections()
  }
})

/** hostd behind a server that lets something happen before each start of a doctor. @returns its address */
async function hostdBehind(before: BeforeDoctor): Promise<string> {
  let questions = 0
  const pass = (request: IncomingMessage, response: ServerResponse): void => {
    const onward = httpRequest(
      {
        port: at.hostd.port,
        host: '127.0.0.1',
        method: request.method,
        path: request.url,
        headers: { ...request.headers, host: `127.0.0.1:${at.hostd.port}` },
        // A connection of its own: hostd may be about to close one that was kept.
        agent: false,
      },
      (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers)
        answer.pipe(response)
      },
    )
    onward.on('error', () => response.destroy())
    response.on('close', () => onward.destroy())
    request.pipe(onward)
  }
  const server = createServer((request, response) => {
    if (request.url !== '/api/exec') return pass(request, response)
    questions += 1
    void (async () => {
      try {
        rival = await before(questions)
        pass(request, response)
      } catch (error) {
        response.writeHead(500).end(String(error))
      }
    })()
    return undefined
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  server.keepAliveTimeout = 0
  servers.push(server)
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** deploy_until_green as the runner starts it, with another address of hostd. */
async function deployThrough(url: string): Promise<{ result: DeployResult; dir: string }> {
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
    if (rival && joins(JSON.parse(line) as EventBody, rival)) {
      rival.release()
      rival = null
    }
  const dir = join(at.host.paths.artifacts, 'deploy', runId)
  return {
    dir,
    result: deployResult.parse(JSON.parse(readFileSync(join(dir, 'deploy_result.json'), 'utf8'))),
  }
}

const read = (dir: string, name: string): unknown =>
  JSON.parse(readFileSync(join(dir, name), 'utf8'))

it('tries again, from a new fetch, after a DoD whose joined doctors failed, and passes', async () => {
  const first = await at.ship({ message: 'three' })
  let second = ''
  const { result, dir } = await deployThrough(
    await hostdBehind(async (question) => {
      // A deploy asks once more when the doctor it joined failed. The third question is of the next attempt.
      doctorFails(question <= 2)
      if (question === 1) second = await at.ship({ message: 'four' })
      return question <= 2 ? await startHeldDoctor() : null
    }),
  )
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
  const { result, dir } = await deployThrough(
    await hostdBehind(async () => {
      doctorFails(true)
      return await startHeldDoctor()
    }),
  )
  doctorFails(false)
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
