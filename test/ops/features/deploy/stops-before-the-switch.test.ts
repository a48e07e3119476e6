import { createServer } from 'node:http'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readRecords } from '#ops/core/host-state/service-record'
import { members } from '#ops/base/process/process-tree'
import { deployHost, type Deployed, type DeployHost } from '../../../support/host.ts'
import { expectStop } from '../../../support/stopped.ts'

let at: DeployHost
let good: string
beforeAll(async () => {
  at = await deployHost({ message: 'one' })
  const { result } = await at.deploy()
  expect(result.overall, JSON.stringify(result.steps)).toBe('PASS')
  good = result.target_sha ?? ''
})
afterAll(async () => {
  await at.remove()
})

const head = (): string => at.git(at.host.paths.root, 'rev-parse', 'HEAD')
/** The version from before answers, from the very process that served before. */
async function expectUntouched(pids: readonly number[]): Promise<void> {
  expect(await at.message()).toEqual({ message: 'one', commit: good })
  expect(readRecords(at.host.paths).map(({ pid }) => pid)).toEqual(pids)
}
const pids = (): number[] => readRecords(at.host.paths).map(({ pid }) => pid)
const deployed = async (): Promise<{ deploy: Deployed; before: number[] }> => {
  const before = pids()
  return { before, deploy: await at.deploy() }
}

describe('a deploy, before anything that serves is touched,', () => {
  it('stops when the host could push, to a remote that accepts pushes', async () => {
    await at.stopGit()
    await at.startGit({ receivePack: true })
    const { deploy, before } = await deployed()
    await at.stopGit()
    await at.startGit()
    expectStop(at, deploy, 'production_can_push', 'assert_production_pull_only')
    expect(
      at.git(at.origin, 'for-each-ref', '--format=%(refname)', 'refs/openclaw/push-probe'),
    ).toBe('')
    await expectUntouched(before)
  })

  it('stops when the host could push, to a push URL that differs from the one it fetches from', async () => {
    at.git(at.host.paths.root, 'remote', 'set-url', '--push', 'origin', at.origin)
    const { deploy } = await deployed()
    at.git(at.host.paths.root, 'config', '--unset', 'remote.origin.pushurl')
    expectStop(at, deploy, 'production_can_push', 'assert_production_pull_only')
  })

  it('stops when the remote is unreachable, because then a refused push proves nothing', async () => {
    await at.stopGit()
    const { deploy } = await deployed()
    await at.startGit()
    expectStop(at, deploy, 'push_probe_inconclusive', 'assert_production_pull_only')
  })

  it('stops when git itself could push nowhere, because then a refused push proves nothing', async () => {
    at.git(at.host.paths.root, 'config', 'push.default', 'nonsense')
    await at.stopGit()
    await at.startGit({ receivePack: true })
    const { deploy } = await deployed()
    at.git(at.host.paths.root, 'config', '--unset', 'push.default')
    await at.stopGit()
    await at.startGit()
    expectStop(at, deploy, 'push_probe_inconclusive', 'assert_production_pull_only')
  })

  it('stops when fetching fails', async () => {
    const url = at.git(at.host.paths.root, 'remote', 'get-url', 'origin')
    at.git(at.host.paths.root, 'remote', 'set-url', '--push', 'origin', url)
    at.git(
      at.host.paths.root,
      'remote',
      'set-url',
      'origin',
      url.replace('sample.git', 'nowhere.git'),
    )
    const { deploy } = await deployed()
    at.git(at.host.paths.root, 'remote', 'set-url', 'origin', url)
    at.git(at.host.paths.root, 'config', '--unset', 'remote.origin.pushurl')
    expectStop(at, deploy, 'git_fetch_failed', 'git_sync')
    expect(head()).toBe(good)
  })

  it('stops when a commit was pushed without a review', async () => {
    const sneaked = await at.ship({ message: 'sneaked in' }, { reviewed: false })
    const { deploy, before } = await deployed()
    expectStop(at, deploy, 'unreviewed_commit', 'git_sync')
    expect(deploy.triage?.first_error?.text).toContain(sneaked)
    expect(head()).toBe(good)
    await expectUntouched(before)
  })

  it('stops when the commit tracks a file where the host keeps its proof, which stays', async () => {
    await at.ship({ message: 'in the way' }, { files: { artifacts: 'in place of the folder' } })
    rmSync(join(at.host.dir, 'laptop', 'artifacts'))
    const proof = readdirSync(join(at.host.paths.artifacts, 'deploy'))
    const { deploy, before } = await deployed()
    expectStop(at, deploy, 'artifacts_tracked', 'git_sync')
    expect(readdirSync(join(at.host.paths.artifacts, 'deploy'))).toEqual(
      expect.arrayContaining(proof),
    )
    expect(head()).toBe(good)
    await expectUntouched(before)
  })

  it('stops when the build fails; the triage names the line', async () => {
    await at.ship({ message: 'not built', build: 'broken' })
    const { deploy, before } = await deployed()
    expectStop(at, deploy, 'console_build_failed', 'console_build')
    expect(deploy.triage?.first_error).toMatchObject({
      text: 'message.txt:1:1: error: the message is not allowed',
      file: 'message.txt',
      file_line: 1,
    })
    await expectUntouched(before)
  })

  it('stops when the new version never gets healthy', async () => {
    await at.ship({ message: 'sick', health: 'sick' })
    const { deploy, before } = await deployed()
    expectStop(at, deploy, 'service_unhealthy', 'docker_compose')
    await expectUntouched(before)
  })

  it('B9 stops when the new version ends at once; the end of its log is the evidence', async () => {
    await at.ship({ message: 'dies', health: 'dies' })
    const { deploy, before } = await deployed()
    expectStop(at, deploy, 'service_unhealthy', 'docker_compose')
    expect(deploy.triage?.first_error?.text).toBe('Error: the database is not there')
    expect(deploy.triage?.evidence[0]).toContain('its log says: Error: the database is not there')
    // What the candidate said is not in the log of the version that serves.
    const logOf = (name: string): string =>
      readFileSync(join(at.host.paths.services, 'app', name), 'utf8')
    expect(logOf('candidate.log')).toContain('the database is not there')
    expect(logOf('service.log')).not.toContain('the database is not there')
    await expectUntouched(before)
  })

  it('stops when the new version can be reached from outside', async () => {
    await at.ship({ message: 'open to all', listen: 'everywhere' })
    const { deploy, before } = await deployed()
    expectStop(at, deploy, 'public_port', 'docker_compose')
    await expectUntouched(before)
  })

  it('B10 stops before the build when another program holds the port of a service', async () => {
    const squatter = createServer()
    await new Promise<void>((resolve) => {
      squatter.listen(0, '127.0.0.1', resolve)
    })
    const { port } = squatter.address() as { port: number }
    at.settings({ service_ports: { app: port } })
    await at.ship({ message: 'port taken' })
    const { deploy, before } = await deployed()
    at.settings({ service_ports: { app: at.ports.app } })
    squatter.close()
    expectStop(at, deploy, 'port_in_use', 'console_build')
    const step = deploy.result.steps.find(({ name }) => name === 'console_build')
    expect(step?.detail).toContain(`process ${process.pid}`)
    const logged = deploy.events.flatMap((event) => (event.type === 'log' ? [event.text] : []))
    expect(logged.join('\n')).not.toContain('built dist/message.txt')
    await expectUntouched(before)
  })
})

it('ends as cancelled when it is cancelled while it builds, with its proof, and leaves no process', async () => {
  await at.ship({ message: 'never built', build: 'endless' })
  const before = pids()
  const deploy = await at.deploy({
    onEvents: (events) => {
      const building = events.some(
        (event) =>
          event.type === 'log' &&
          event.step === 'console_build' &&
          event.text.startsWith('build dist'),
      )
      if (building)
        void at.hostd.client
          .runs({ status: 'running' })
          .then(
            async ({ runs }) =>
              await Promise.all(runs.map(({ run_id }) => at.hostd.client.cancel(run_id))),
          )
    },
  })
  expect(deploy.run.status).toBe('cancelled')
  expect(deploy.result).toMatchObject({
    overall: 'FAIL',
    error_class: 'cancelled',
    step_failed: 'console_build',
  })
  expect(deploy.triage).toMatchObject({ error_class: 'cancelled', failing_step: 'console_build' })
  expect(at.maintenance()).toMatchObject({ deploy_run_id: deploy.run.run_id })
  // The runner, and the one that cancelled it, end a little after the result is there.
  await expect
    .poll(() => new Set(at.host.processes()))
    .toEqual(
      new Set([
        at.hostd.pid,
        ...readRecords(at.host.paths)
          .filter(({ kind }) => kind === 'console')
          .map(({ pid }) => pid),
      ]),
    )
  await expectUntouched(before)
})

it('brings the old version back when the new one fails only on its real port', async () => {
  await at.ship({ message: 'fails on its port', works: 'only_as_candidate' })
  const { deploy } = await deployed()
  expectStop(at, deploy, 'service_unhealthy', 'docker_compose')
  expect(deploy.result.steps.find(({ name }) => name === 'docker_compose')?.detail).toContain(
    'was started again and answers',
  )
  expect(await at.message()).toEqual({ message: 'one', commit: good })
})

it('ends maintenance with the next good deploy, and leaves no candidate running', async () => {
  const sha = await at.ship({ message: 'good again' })
  const { result, triage, dir } = await at.deploy()
  expect(result, JSON.stringify(result.steps)).toMatchObject({
    overall: 'PASS',
    previous_sha: good,
    target_sha: sha,
  })
  expect(triage).toBeNull()
  expect(existsSync(join(dir, 'deploy_result.json'))).toBe(true)
  expect(at.maintenance()).toBeNull()
  expect(await at.message()).toEqual({ message: 'good again', commit: sha })
  const serving = readRecords(at.host.paths).map(({ instance }) => `OPENCLAW_SERVICE=${instance}`)
  expect(new Set(serving.flatMap((marker) => members({ marker })))).toEqual(new Set(pids()))
})
