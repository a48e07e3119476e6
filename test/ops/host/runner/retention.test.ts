import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync, existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { execa } from 'execa'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { newRunId } from '#shared/ids'
import { tombstone } from '#shared/proof'
import { parseRunEvent } from '#shared/events'
import { writeJson } from '#ops/base/files/json-file'
import { proofKey } from '#ops/core/proof/proof-key'
import { hostProofPaths } from '#ops/base/paths/proof-paths'
import { sealBundle } from '#ops/core/proof/seal-bundle'
import { chainVerification, type BundleKind } from '#shared/proof'
import { hq, scriptedInstall, testHost, type TestHost } from '../../../support/hostd.ts'

const node = resolve('node_modules/.bin/node')
const child = resolve('test/ops/host/runner/retain-child.ts')
const preload = pathToFileURL(resolve('test/ops/core/proof/die-at.mjs')).href
const dayMs = 86_400_000

let dir: string
let host: TestHost
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'openclaw-scripted-'))
  host = testHost({
    install: scriptedInstall(dir, { doctor: "import { finish } from './kit.mjs'; finish('PASS')" })
      .install,
    settings: { retention: { log_days: 30 } },
  })
})
afterEach(async () => {
  await host.remove()
  rmSync(dir, { recursive: true, force: true })
})

const settings = (retention: object): void =>
  writeFileSync(host.paths.hostSettings, JSON.stringify({ name: 'test-host', retention }))
const idOfAge = (days: number): string => newRunId(new Date(Date.now() - days * dayMs))
const result = (run_id: string, overall: 'PASS' | 'FAIL') => ({
  schema_version: 1,
  run_id,
  overall,
  step_failed: null,
  error_class: null,
  next_auto_fix: null,
  git_head: null,
  git_tree: null,
  started_at: '2026-01-01T00:00:00.000Z',
  finished_at: '2026-01-01T00:00:01.000Z',
  steps: [],
  artifacts: {},
})
const resultFile = { deploy: 'deploy_result.json', doctor: 'doctor.json' }
/** A bundle and its run as they are left behind. @returns the folders */
const plant = async (
  days: number,
  {
    kind = 'deploy',
    overall = 'FAIL',
    seal = true,
  }: { kind?: 'deploy' | 'doctor'; overall?: 'PASS' | 'FAIL'; seal?: boolean } = {},
): Promise<{ id: string; bundle: string; run: string }> => {
  const id = idOfAge(days)
  const [bundle, run] = [join(host.paths.artifacts, kind, id), join(host.paths.runs, id)]
  writeJson(join(bundle, resultFile[kind]), result(id, overall))
  mkdirSync(join(bundle, 'attempts', '1'), { recursive: true })
  for (const name of ['build.log', 'attempts/1/verify.log'])
    writeFileSync(join(bundle, name), `${name} of ${id}\n`.repeat(50))
  writeJson(join(run, 'result.json'), result(id, overall))
  writeFileSync(
    join(run, 'log.ndjson'),
    `${JSON.stringify({
      seq: 1,
      type: 'log',
      time: '2026-01-01T00:00:00.000Z',
      step: null,
      stream: 'hq',
      text: 'x'.repeat(500),
    })}\n`,
  )
  const places = hostProofPaths(host.paths)
  if (seal)
    await sealBundle({
      dir: bundle,
      kind: kind satisfies BundleKind,
      runId: id,
      chainFile: places.chainFile,
      key: await proofKey(places),
      gitHead: null,
      gitTree: null,
    })
  return { id, bundle, run }
}
/** A run of this host that ends now: what comes after it is under test. */
const runDoctor = () =>
  hq(
    host,
    ['runner'],
    {},
    `${JSON.stringify({
      op: 'start',
      run_id: newRunId(),
      action: 'doctor',
      params: {},
      actor: 'test',
      deploy_run_id: null,
      requested_at: new Date().toISOString(),
    })}\n`,
  )
const hasLogs = ({ bundle }: { bundle: string }): boolean =>
  existsSync(join(bundle, 'build.log')) || existsSync(join(bundle, 'attempts/1/verify.log'))
const verified = async () =>
  chainVerification.parse(
    JSON.parse((await hq(host, ['proof', 'verify', host.paths.artifacts, '--json'])).out),
  )

describe('retention on a host, after a run', () => {
  it('deletes logs of sealed bundles and runs past their days, leaves a signed record and a valid chain', async () => {
    const old = await plant(100)
    const older = await plant(200, { kind: 'doctor' })
    const young = await plant(10)
    const unsealed = await plant(150, { seal: false })
    const { err } = await runDoctor()
    expect(err).toContain('Retention deleted the logs of')
    expect([old, older, young, unsealed].map(hasLogs)).toEqual([false, false, true, true])
    for (const { bundle } of [old, older])
      expect(
        tombstone.parse(JSON.parse(readFileSync(join(bundle, 'tombstone.json'), 'utf8'))),
      ).toMatchObject({
        reason: 'retention',
        files: [{ path: 'attempts/1/verify.log' }, { path: 'build.log' }],
      })
    expect(JSON.parse(readFileSync(join(old.bundle, 'deploy_result.json'), 'utf8'))).toMatchObject({
      run_id: old.id,
    })
    const events = readFileSync(join(old.run, 'log.ndjson'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => parseRunEvent(JSON.parse(line)))
    expect(events).toMatchObject([
      { seq: 1, type: 'log', text: expect.stringContaining('deleted by retention') },
      { seq: 2, type: 'run_finished', result: { run_id: old.id } },
    ])
    expect(
      tombstone.parse(JSON.parse(readFileSync(join(old.run, 'tombstone.json'), 'utf8'))),
    ).toMatchObject({ manifest_sha256: null, files: [{ path: 'log.ndjson' }] })
    expect(readFileSync(join(young.run, 'log.ndjson'), 'utf8')).toContain('xxx')
    const { problems, bundles } = await verified()
    expect(problems.map(({ code, run_id }) => [code, run_id])).toEqual([
      ['not_sealed', unsealed.id],
    ])
    expect(
      bundles
        .filter(({ pruned }) => pruned > 0)
        .map(({ run_id }) => run_id)
        .toSorted(),
    ).toEqual([old.id, older.id].toSorted())
  })

  it('keeps the newest three green ones of a kind whole, however old, and their runs', async () => {
    const green = [
      await plant(60, { overall: 'PASS' }),
      await plant(70, { overall: 'PASS' }),
      await plant(80, { overall: 'PASS' }),
      await plant(90, { overall: 'PASS' }),
    ]
    const red = await plant(50)
    await runDoctor()
    expect([...green, red].map(hasLogs)).toEqual([true, true, true, false, false])
    expect(readFileSync(join(green[2]?.run ?? '', 'log.ndjson'), 'utf8')).toContain('xxx')
  })

  it('deletes the oldest first when all logs exceed their limit, and none younger than the least age', async () => {
    settings({ log_days: 3000, log_bytes: 12_000, min_days: 5 })
    const planted = [
      await plant(2),
      await plant(9),
      await plant(10),
      await plant(11),
      await plant(12),
    ]
    await runDoctor()
    expect(planted.map(hasLogs)).toEqual([true, true, false, false, false])
    expect((await verified()).state).toBe('verified')
  })

  it('never deletes what is younger than the least age, however large the rest is', async () => {
    settings({ log_days: 3000, log_bytes: 0, min_days: 5 })
    const [young, old] = [await plant(4), await plant(6)]
    await runDoctor()
    expect([young, old].map(hasLogs)).toEqual([true, false])
  })

  it('leaves alone what another key sealed, says so, and fails no run for it', async () => {
    const old = await plant(100)
    rmSync(hostProofPaths(host.paths).keyFile)
    const { code, err } = await runDoctor()
    expect(code).toBe(0)
    expect(err).toContain('was sealed with another key')
    expect(hasLogs(old)).toBe(true)
  })

  it('killed before any of its changes leaves a chain that verifies; the next pass completes it', async () => {
    settings({ log_days: 1, log_bytes: 0, min_days: 1 })
    const planted = [await plant(400), await plant(410, { kind: 'doctor' })]
    const env = { ...process.env, ...host.env }
    let killed = 0
    for (let point = 1; ; point += 1) {
      const ended = await execa(node, ['--import', preload, child], {
        env: { ...env, DIE_AT: String(point) },
        reject: false,
      })
      expect((await verified()).problems, `before change ${point}`).toEqual([])
      if (ended.signal !== 'SIGKILL') break
      killed += 1
      rmSync(join(host.paths.state, 'retention.json'), { force: true })
    }
    expect(killed).toBeGreaterThan(2)
    expect(planted.map(hasLogs)).toEqual([false, false])
  })
})
