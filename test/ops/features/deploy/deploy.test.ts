import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { dodLastReply, projectStateReply } from '#shared/api'
import { readRecords, readServing } from '#ops/core/host-state/service-record'
import { tryLock } from '#ops/base/files/lock'
import { laneLockFile } from '#ops/core/host-state/locks'
import { deployResult, type DeployResult } from '#shared/result'
import { hostProofPaths } from '#ops/base/paths/proof-paths'
import { sha256Of } from '#ops/base/sha256'
import { readProofPublicKey } from '#ops/core/proof/proof-key'
import { openEnvelope } from '#ops/core/trust/envelope'
import { trustKeys } from '#ops/core/trust/trusted-keys'
import { statementFile } from '#shared/statement'
import { reviewRef } from '#shared/verdict'
import { deployHost, type DeployHost } from '../../../support/host.ts'
import { hq } from '../../../support/hostd.ts'

let at: DeployHost
beforeAll(async () => {
  at = await deployHost({ message: 'one' })
})
afterAll(async () => {
  await at.remove()
})

it('ends PASS: the version answers, the proof is complete, the state is shown, maintenance is off', async () => {
  const { run, result, dir, dod, triage, events } = await at.deploy()
  expect(result, JSON.stringify(result.steps, null, 1)).toMatchObject({
    overall: 'PASS',
    attempt: 1,
    engine: 'process',
    error_class: null,
    run_id: run.run_id,
  })
  expect(result.steps.map(({ name, status }) => [name, status])).toEqual(
    [
      'assert_production_pull_only',
      'git_sync',
      'hostd_install',
      'console_build',
      'docker_compose',
      'verify_production',
      'console_route_gate',
      'dod_production',
      'update_project_state',
      'green_check',
    ].map((name) => [name, 'passed']),
  )
  expect(await at.message()).toEqual({ message: 'one', commit: result.target_sha })
  expect(triage).toBeNull()
  expect(dod).toMatchObject({ overall: 'PASS', deploy_run_id: run.run_id })
  for (const name of [
    'deploy_result.json',
    'verify_production.json',
    'dod_result.json',
    'green_check.json',
    join('attempts', '1', 'deploy_result.json'),
  ])
    expect(existsSync(join(dir, name)), name).toBe(true)
  expect(events.filter(({ type }) => type === 'run_finished')).toHaveLength(1)
  const state = await at.hostd.client.request('/api/project/state', projectStateReply)
  expect(state.state).toMatchObject({
    last_deploy_run_id: run.run_id,
    target_sha: result.target_sha,
    next_action: 'Greet the operator by name',
  })
  expect(at.maintenance()).toBeNull()
})

it('shows the last DoD through the console with the token, and not without it', async () => {
  const url = `http://127.0.0.1:${at.ports.console}/api/dod/last`
  const answer = await fetch(url, { headers: { 'x-openclaw-admin-token': at.host.token } })
  expect(dodLastReply.parse(await answer.json())).toMatchObject({ ok: true, overall: 'PASS' })
  expect((await fetch(url)).status).toBe(403)
})

it('replaces the version that serves, which answers until the new one does', async () => {
  const before = await at.message()
  const pids = readRecords(at.host.paths).map(({ name, pid }) => [name, pid])
  const sha = await at.ship({ message: 'two' })
  const seen = new Set<string>()
  const deploying = new AbortController()
  const watch = (async () => {
    while (!deploying.signal.aborted) seen.add((await at.message())?.commit ?? 'nothing')
  })()
  const { result } = await at.deploy()
  deploying.abort()
  await watch
  expect(result, JSON.stringify(result.steps, null, 1)).toMatchObject({
    overall: 'PASS',
    target_sha: sha,
    previous_sha: before?.commit,
  })
  expect(await at.message()).toEqual({ message: 'two', commit: sha })
  expect([...seen].filter((commit) => commit !== 'nothing').toSorted()).toEqual(
    [before?.commit ?? '', sha].toSorted(),
  )
  expect(result.unanswered_ms).toBeGreaterThan(0)
  // The switch is a part of its step: a figure that counts anything else as well would not fit into it.
  expect(result.unanswered_ms).toBeLessThan(
    result.steps.find(({ name }) => name === 'docker_compose')?.duration_ms ?? 0,
  )
  expect(readServing(at.host.paths)?.sha).toBe(sha)
  const now = readRecords(at.host.paths).map(({ name, pid }) => [name, pid])
  expect(now.filter(([name]) => name === 'openclaw-console')).toEqual(
    pids.filter(([name]) => name === 'openclaw-console'),
  )
  expect(now.filter(([name]) => name === 'app')).not.toEqual(
    pids.filter(([name]) => name === 'app'),
  )
})

it('B10 leaves services and the build alone when the same commit is deployed again', async () => {
  const before = readRecords(at.host.paths)
  const { result, dir } = await at.deploy()
  expect(result, JSON.stringify(result.steps, null, 1)).toMatchObject({ overall: 'PASS' })
  expect(result.unanswered_ms).toBeNull()
  // The build that was green is used again.
  const built = result.steps.find(({ name }) => name === 'console_build')
  expect(built?.detail).toContain('the kept build')
  expect(readRecords(at.host.paths)).toEqual(before)
  await expectSummary(result, dir)
})

/** The proof has a statement that names commit, tree, what runs, and the verdict below. */
async function expectSummary(result: DeployResult, dir: string): Promise<void> {
  await expect.poll(() => existsSync(join(dir, 'manifest.json'))).toBe(true)
  const key = readProofPublicKey(hostProofPaths(at.host.paths))
  const opened = openEnvelope(
    readFileSync(join(dir, statementFile('verification')), 'utf8'),
    trustKeys(key === null ? [] : [key], 'the test'),
  )
  const sha = result.target_sha ?? ''
  const verdict = at.git(at.origin, 'cat-file', 'blob', reviewRef(sha))
  expect(opened).toMatchObject({
    state: 'verified',
    statement: {
      subject: [
        { digest: { gitCommit: sha } },
        { digest: { gitTree: result.git_tree } },
        ...readRecords(at.host.paths).map(({ name, digest }) => ({
          name,
          digest: { sha256: digest },
        })),
      ],
      predicate: {
        verificationResult: 'PASSED',
        inputAttestations: [
          { uri: reviewRef(sha), digest: { sha256: sha256Of(verdict) } },
          { uri: statementFile('provenance') },
        ],
      },
    },
  })
}

it('runs one pipeline from a terminal without hostd, and refuses to run beside another deploy', async () => {
  const { code, out } = await hq(at.host, ['deploy', '--once', '--json'], {
    OPENCLAW_HOSTD_PORT: String(at.hostd.port),
  })
  const result = deployResult.parse(JSON.parse(out))
  expect([code, result.overall], JSON.stringify(result.steps)).toEqual([0, 'PASS'])
  expect(at.maintenance()).toBeNull()
  const lock = tryLock(laneLockFile(at.host.paths, 'deploy'))
  const refused = await hq(at.host, ['deploy', '--once'], {
    OPENCLAW_HOSTD_PORT: String(at.hostd.port),
  })
  lock?.release()
  expect([refused.code, refused.err.includes('lane_busy')]).toEqual([1, true])
})

it('leaves no process but the services, and no token anywhere in the proof', async () => {
  const pids = new Set([at.hostd.pid, ...readRecords(at.host.paths).map(({ pid }) => pid)])
  // The runner of a run ends a little after its result is there.
  await expect.poll(() => at.host.processes().filter((pid) => !pids.has(pid))).toEqual([])
  const files = readdirSync(at.host.paths.artifacts, {
    recursive: true,
    withFileTypes: true,
  }).filter((entry) => entry.isFile())
  expect(files.length).toBeGreaterThan(20)
  for (const { parentPath, name } of files)
    expect(readFileSync(join(parentPath, name), 'utf8').includes(at.host.token), name).toBe(false)
})
