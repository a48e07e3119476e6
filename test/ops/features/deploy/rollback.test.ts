import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { z } from 'zod'
import { projectStateReply } from '#shared/api'
import { checksResult, deployResult, type ProjectState } from '#shared/result'
import { noFacts, type DeployFacts } from '#ops/features/deploy/state/facts'
import { hostdInstall } from '#ops/features/deploy/steps/hostd-install'
import { readGreenBuilds } from '#ops/host/engines/common/green-builds'
import type { FactContext } from '#ops/core/pipeline/pipeline'
import { readHostFiles } from '#ops/core/config/host-files'
import { readHostSettings } from '#ops/core/config/settings-files'
import { newRunId } from '#shared/ids'
import { deployHost, type DeployHost } from '../../../support/host.ts'
import { hq } from '../../../support/hostd.ts'

let at: DeployHost
const shas: string[] = []
beforeAll(async () => {
  at = await deployHost({ message: 'one' })
})
afterAll(async () => {
  await at.remove()
})

const sha = (n: number): string => shas[n - 1] ?? ''
const state = async (): Promise<ProjectState> => {
  const reply = await at.hostd.client.request('/api/project/state', projectStateReply)
  return z.custom<ProjectState>((value) => value !== null).parse(reply.state)
}
const green = async (
  options?: Parameters<DeployHost['deploy']>[0],
): Promise<Awaited<ReturnType<DeployHost['deploy']>>> => {
  const done = await at.deploy(options)
  expect(done.result, JSON.stringify(done.result.steps, null, 1)).toMatchObject({ overall: 'PASS' })
  return done
}

/** Everything that a refused deploy must leave as it was. */
const standing = async (): Promise<unknown> => ({
  message: await at.message(),
  maintenance: at.maintenance(),
  head: at.git(at.host.paths.root, 'rev-parse', 'HEAD'),
  state: existsSync(at.host.paths.projectState)
    ? readFileSync(at.host.paths.projectState, 'utf8')
    : null,
  deploys: existsSync(join(at.host.paths.artifacts, 'deploy'))
    ? readdirSync(join(at.host.paths.artifacts, 'deploy')).toSorted()
    : [],
})
const refused = async (
  errorClass: string,
  options: Parameters<DeployHost['deploy']>[0],
): Promise<void> => {
  const before = await standing()
  const { run, result } = await at.deploy(options)
  expect(result).toMatchObject({
    overall: 'FAIL',
    error_class: errorClass,
    steps: [],
    run_id: run.run_id,
  })
  expect(run).toMatchObject({ status: 'failed', error_class: errorClass })
  expect(await standing()).toEqual(before)
}

it('refuses to roll back a host with one green commit, or none, and changes nothing', async () => {
  await refused('rollback_unavailable', { action: 'rollback' })
  shas.push((await green()).result.target_sha ?? '')
  expect((await state()).rollback_to).toBeNull()
  await refused('rollback_unavailable', { action: 'rollback' })
  await refused('rollback_unavailable', { action: 'rollback', params: { to: sha(1) } })
  await refused('rollback_unavailable', { action: 'rollback', params: { to: 'f'.repeat(40) } })
})

it('refuses a commit that was never green, and a name that is not a full commit id', async () => {
  const never = await at.ship({ message: 'never deployed' })
  shas.push(await at.ship({ message: 'two' }))
  await green()
  expect((await state()).rollback_to).toBe(sha(1))
  await refused('rollback_unavailable', { action: 'rollback', params: { to: never } })
  await expect(
    at.deploy({ action: 'rollback', params: { to: never.slice(0, 12) } }),
  ).rejects.toMatchObject({ errorClass: 'invalid_request' })
  await expect(at.deploy({ action: 'rollback', params: { branch: 'main' } })).rejects.toMatchObject(
    { errorClass: 'invalid_request' },
  )
})

it('refuses a build that is gone before maintenance, and names it', async () => {
  const folder = readGreenBuilds(at.host.paths).find((build) => build.sha === sha(1))?.folder ?? ''
  renameSync(folder, `${folder}.away`)
  await refused('rollback_unavailable', { action: 'rollback' })
  renameSync(`${folder}.away`, folder)
})

it('goes to the last green commit by the same steps, uses the build that was green, and pins it', async () => {
  const { result, run, events } = await green({ action: 'rollback' })
  expect(result).toMatchObject({ target_sha: sha(1), git_head: sha(1), previous_sha: sha(2) })
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
  expect(
    events.some(
      (event) => event.type === 'log' && event.text.includes('is intact and used as it is'),
    ),
  ).toBe(true)
  expect(await at.message()).toEqual({ message: 'one', commit: sha(1) })
  expect(await state()).toMatchObject({
    target_sha: sha(1),
    last_verified_head: sha(1),
    rollback_to: null,
    pin: { sha: sha(1), from_sha: sha(2), run_id: run.run_id },
  })
  expect(at.maintenance()).toBeNull()
  expect(at.git(at.host.paths.root, 'rev-parse', 'HEAD')).toBe(sha(1))
  const doctor = await at.hostd.client.startOrJoin('doctor', {})
  const { checks, overall } = checksResult.parse(doctor.run.result)
  expect(overall, JSON.stringify(checks)).toBe('PASS')
  const drift = checks.find(({ name }) => name === 'git_drift')
  expect(
    [drift?.status, drift?.detail.startsWith(`drift: pinned by rollback ${run.run_id}`)],
    drift?.detail,
  ).toEqual(['WARN', true])
})

it('refuses to deploy what was rolled back from, also after the state was lost, until it is unpinned', async () => {
  await refused('rolled_back', {})
  const kept = `${at.host.paths.projectState}.kept`
  renameSync(at.host.paths.projectState, kept)
  await refused('rolled_back', {})
  renameSync(kept, at.host.paths.projectState)
  await at.stopGit()
  await refused('git_fetch_failed', {})
  await at.startGit()
  const { code, out } = await hq(at.host, ['deploy', '--unpin', '--json'], {
    OPENCLAW_HOSTD_PORT: String(at.hostd.port),
    OPENCLAW_HOSTD_URL: at.hostd.url,
  })
  expect([code, deployResult.parse(JSON.parse(out)).target_sha], out).toEqual([0, sha(2)])
  expect((await state()).pin).toBeUndefined()
})

it('ends the pin after a ship: the next deploy brings that commit', async () => {
  const { code, out } = await hq(at.host, ['rollback', '--to', sha(1), '--json'], {
    OPENCLAW_HOSTD_PORT: String(at.hostd.port),
    OPENCLAW_HOSTD_URL: at.hostd.url,
  })
  expect([code, deployResult.parse(JSON.parse(out)).target_sha], out).toEqual([0, sha(1)])
  expect((await state()).pin?.from_sha).toBe(sha(2))
  shas.push(await at.ship({ message: 'three' }))
  await green()
  expect(await at.message()).toEqual({ message: 'three', commit: sha(3) })
  expect((await state()).pin).toBeUndefined()
})

it('leaves the installed hostd and its releases alone when HQ itself is rolled back, and says so', async () => {
  const { paths } = at.host
  mkdirSync(join(paths.root, 'ops'))
  writeFileSync(join(paths.root, 'ops', 'hq.mjs'), '')
  writeFileSync(join(paths.root, 'package.json'), JSON.stringify({ name: 'openclaw-hq' }))
  const step = hostdInstall({
    paths,
    settings: readHostSettings(paths),
    files: readHostFiles(paths),
    runId: newRunId(),
    hostdUrl: at.hostd.url,
    hostdPort: at.hostd.port,
    consoleUrl: '',
    rollbackTo: sha(1),
  })
  const context: FactContext<DeployFacts> = {
    signal: new AbortController().signal,
    dir: at.host.dir,
    note: () => undefined,
    log: () => undefined,
    run: async () => {
      throw new Error('a rollback of HQ started a command')
    },
  }
  const end = await step.run({ ...noFacts, target_sha: sha(1) }, context)
  rmSync(join(paths.root, 'ops'), { recursive: true })
  rmSync(join(paths.root, 'package.json'))
  expect(end?.detail).toContain('a rollback never downgrades hostd')
  expect(existsSync(paths.releases)).toBe(false)
})

it('keeps the last three green versions, and builds one again from its commit when it was changed', async () => {
  shas.push(await at.ship({ message: 'four' }))
  await green()
  // Deploys of the same commit leave builds that nobody needs: only those may go.
  for (let n = 0; n < 3; n += 1) await green()
  const kept = readGreenBuilds(at.host.paths)
  expect(kept.map((build) => build.sha)).toEqual([sha(1), sha(3), sha(4)])
  for (const { folder } of kept) expect(existsSync(folder), folder).toBe(true)
  rmSync(join(kept[1]?.folder ?? '', 'openclaw.config.json'))
  const { result } = await green({ action: 'rollback' })
  expect(result.target_sha).toBe(sha(3))
  expect(await at.message()).toEqual({ message: 'three', commit: sha(3) })
})
